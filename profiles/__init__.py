"""What must hold: quantities, indicators, requirements, decision rules and :func:`profiles.judge.judge`.

Pure: nothing here sends a packet, opens a store or knows a probe. The only input read is YAML and the text
catalogues. This file stays empty of imports, because :mod:`profiles.observation` is also shipped to vantage
points where nothing but the standard library exists.
"""
