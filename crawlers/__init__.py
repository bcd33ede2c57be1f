"""Crawling and parsing: from a web site to landing bytes, and from landing bytes to typed records."""
