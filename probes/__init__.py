"""How is it measured? One module per method; each sends packets or reads instruments and returns observations.

Methods run at vantage points that may have nothing but Python 3.11, so the modules on that path (everything that
:mod:`probes.worker` imports) use the standard library only. Every socket comes from :mod:`probes.gate`.
"""
