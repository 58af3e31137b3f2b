"""What is wrong with a field, in words for whoever sent it."""

from collections.abc import Mapping

from pydantic_core import ErrorDetails

from services.payloads import A_NUMBER

_PROBLEMS: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "no such field is known here: correct its name, or leave it out",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_too_long": "has more than {max_length} characters",
    "string_pattern_mismatch": "must be three capital letters of ISO 4217, such as USD",
    "decimal_type": A_NUMBER,
    "decimal_parsing": A_NUMBER,
    "finite_number": A_NUMBER,
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "literal_error": "must be {expected}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "tuple_type": "must be a list",
    "too_short": "must name at least one",
    "too_long": "has more than {max_length} entries",
}
"""By pydantic's name of the fault. The only pattern is that of a currency."""


def problem(fault: ErrorDetails) -> str:
    """A phrase that goes after the field's name."""
    wording = _PROBLEMS.get(fault["type"])
    if wording is None:
        return fault["msg"].removeprefix("Value error, ")
    return wording.format_map(fault.get("ctx", {}))
