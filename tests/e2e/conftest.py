"""What is no test here: the start-up module that published programs find on their path."""

collect_ignore = ["published_environment"]
