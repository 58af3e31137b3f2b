"""The document of who may do what says what the code does."""

from access_table import ACCESS, tables, written


def test_the_document_has_the_tables_as_they_are() -> None:
    document = ACCESS.read_text()
    assert all(table in document for table in tables().values())
    assert written(document) == document
