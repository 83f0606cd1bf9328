"""A campaign as tables, for spreadsheets and databases: CSV files and one XLSX workbook, of the same sheets."""
