"""What can be wrong with a source, a row or a mapping: stable codes, and sentences that say what to do."""

from domain.kernel import Rejected


class SourceRefusal(Rejected):
    """Something in a source cannot be used."""


class LineTooLarge(SourceRefusal):
    """The line has {length} {unit}, more than the {line_max} allowed."""

    code = "too_large"


class CellTooLarge(SourceRefusal):
    """A cell has more than {cell_max} characters."""

    code = "too_large"


class Malformed(SourceRefusal):
    """The line cannot be read: {reason}."""

    code = "malformed"


class WrongCellCount(SourceRefusal):
    """The row has {found} cells where the header has {expected}."""

    code = "wrong_cell_count"


class InvalidDate(SourceRefusal):
    """Column {column}: '{value}' is not a date of the form {expected}."""

    code = "invalid_date"


class InvalidAmount(SourceRefusal):
    """Column {column}: '{value}' is not an amount such as {example}."""

    code = "invalid_amount"


class UnmappedValue(SourceRefusal):
    """Column {column}: the mapping does not know the value '{value}'; it knows {known}."""

    code = "unmapped_value"


class EmptyValue(SourceRefusal):
    """{action} needs {field}, but {template} is empty in this row."""

    code = "empty_value"


class WrongDelimiter(SourceRefusal):
    """{file}: the header is one column, {found}, split at '{delimiter}'. The file seems to be split at \
'{likely}': set delimiter = '{likely}' in section '{section}' of the mapping."""

    code = "wrong_delimiter"


class WrongEncoding(SourceRefusal):
    """{file}: the header cannot be read as {encoding}. Set the encoding of section '{section}' in the \
mapping, for example 'utf-16' or 'cp1252'."""

    code = "wrong_encoding"


class MissingColumn(SourceRefusal):
    """{file}: the header has no column {missing}, which section '{section}' needs. Found: {found}. Correct \
the name in the mapping, or say optional = true for a column that may be absent."""

    code = "missing_column"


class AmbiguousColumn(SourceRefusal):
    """{file}: the header names the column {columns} more than once, and section '{section}' needs it. \
Rename one of them in the file."""

    code = "ambiguous_column"


class EmptyFile(SourceRefusal):
    """{file}: the file is empty; a CSV export begins with a header."""

    code = "empty_file"


class WrongUsage(SourceRefusal):
    """The command was called in a way that cannot be meant."""

    code = "wrong_usage"


class InvalidMapping(WrongUsage):
    """{mapping}: {errors}"""

    code = "invalid_mapping"

    @property
    def message(self) -> str:
        """One line for each error, each naming the file, section and key."""
        return "\n".join(f"{self.details['mapping']}: {error}" for error in self.details["errors"])


class NoSection(WrongUsage):
    """{file}: no section of the mapping reads a file of that name. The sections are: {sections}."""

    code = "no_section"


class NoFile(WrongUsage):
    """{file}: {reason}."""

    code = "no_file"


class RejectsNotWritable(WrongUsage):
    """{file}: the rejects cannot be written there: {reason}. Name another place with --rejects."""

    code = "rejects_not_writable"
