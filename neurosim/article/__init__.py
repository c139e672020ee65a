"""Application: the article's claims on trial, the signs of alarm, the report."""
