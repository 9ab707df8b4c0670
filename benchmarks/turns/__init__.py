"""Turn taking on labelled speech: false cut-ins, missed ends, false interruptions and delay, of three strategies.

`clips` makes the labelled clips, of `script`'s lines and of `sounds`; `studio` runs the real models on a virtual clock;
`play` plays clips to a turn taker, and `__main__` counts.
"""
