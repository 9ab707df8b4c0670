"""Invoices: numbered without gaps, with lines that add up to the ledger, as a page and as PDF."""
