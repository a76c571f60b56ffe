"""The pure heart: search spaces, architectures, histories and search strategies.

Standard library, numpy and attrs only. No input or output, no clock, no logging, no global random
state; nothing here knows a framework.

    space/         authoring in the published language, and the frozen form
    architecture/  deciding, the resolved graph of layers, its signature
    layers/        rules of shape, weights and multiply-adds
    history/       trials and what can be asked of many of them
    searchers/     one algorithm a file
"""
