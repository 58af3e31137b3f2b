"""The words that the names of people and companies are drawn from."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ADJECTIVES = _words("""
    Amber Blue Bright Calm Clear Copper Crown Delta East Fair Firm Golden Grand Green Harbor
    High Iron Keen Lake Maple North Nova Oak Open Pine Prime Quick Red River Royal Silver Solid
    South Steel Stone Summit Swift True Vale West
""")
NOUNS = _words("""
    Analytics Bakery Bridge Brokers Builders Care Clinic Cloud Design Dynamics Energy Farms
    Foods Freight Garden Glass Hotels Labs Logistics Machines Media Metals Motors Optics Paper
    Partners Pharma Press Robotics Schools Ships Studio Supply Systems Textiles Tools Trade
    Travel Works Yards
""")
FIRST_NAMES = _words("""
    Ada Alan Alice Amir Anna Ben Carla Chloe Clara Daniel David Elena Emil Emma Eva Felix Grace
    Hugo Ida Ines Ivan Jan Jonas Julia Karim Lara Leo Lina Louis Lucy Marc Maria Max Maya Mia
    Nina Noah Nora Omar Oscar Paul Rosa Ruth Sam Sara Simon Sofia Theo Tom Vera Victor Yara Zoe
""")
LAST_NAMES = _words("""
    Adler Baker Bauer Becker Bell Bernard Brandt Brown Carter Clarke Cole Dubois Evans Fischer
    Fontaine Ford Frank Garcia Graf Gray Green Hall Hayes Hoffmann Hughes Keller King Klein Koch
    Lambert Lang Laurent Lee Lewis Lopez Martin Meyer Moreau Morgan Novak Patel Reed Roth Roux
    Schmidt Scott Silva Stein Stone Vogel Wagner Ward Weber White Wolf Wood Young
""")
