"""Application forms: any DOCX checked against a form's rules, and what a bundle supports written into a form.

A form is data (``data/NAME.toml``): its rules, each with the document and the clause that it comes from.
"""
