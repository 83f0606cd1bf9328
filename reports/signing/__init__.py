"""Signatures: who answers for a bundle, and since when. What they show, and what not, is in ``docs/signing.md``.

A statement (in-toto) names the manifest and every verdict; an envelope (DSSE) carries it with the signatures of tester
and witnesses; a public key or certificate chain lies beside it for each signer, and time-stamps (RFC 3161) for each
signature. All of them stand beside the manifest and are not listed in it.
"""
