"""What is sold?"""

from projections.asking import View


def products(view: View) -> frozenset[str]:
    """The products that any deal has named."""
    return frozenset(
        product for (product,) in view.ask("SELECT DISTINCT product FROM deal WHERE product IS NOT NULL")
    )
