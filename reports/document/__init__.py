"""The report as a document of chapters, tables and figures: composed once, written as DOCX and as PDF."""
