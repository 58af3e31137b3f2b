"""The HTTP API, a file for each kind of question."""

from starlette.convertors import Convertor, register_url_convertor


class _Whole(Convertor[str]):
    """An id as it is, with slashes and even line ends in it: `{lead:whole}`."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("whole", _Whole())
