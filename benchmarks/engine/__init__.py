"""The engine benchmark: many calls in one process, with fake providers, beside other engines.

`python -m benchmarks.engine` runs it whole. One measurement is one process of `benchmarks.engine.run`; this
package imports nothing but numpy and the standard library outside its adapters, so that each engine is
measured by the same code in its own virtual environment.
"""
