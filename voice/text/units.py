"""How units of measure and of money are said."""

from __future__ import annotations

CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "\u20ac": ("euro", "euros", "cent", "cents"),
    "\u00a3": ("pound", "pounds", "penny", "pence"),
    "\u00a5": ("yen", "yen", "", ""),
    "\u20b9": ("rupee", "rupees", "paisa", "paise"),
}
SCALES = {
    "k": "thousand",
    "K": "thousand",
    "m": "million",
    "M": "million",
    "b": "billion",
    "B": "billion",
    "bn": "billion",
    "T": "trillion",
}
_NAMES = {
    "%": "percent percent",
    "km": "kilometer kilometers",
    "m": "meter meters",
    "cm": "centimeter centimeters",
    "mm": "millimeter millimeters",
    "mi": "mile miles",
    "ft": "foot feet",
    "yd": "yard yards",
    "kg": "kilogram kilograms",
    "g": "gram grams",
    "mg": "milligram milligrams",
    "mcg": "microgram micrograms",
    "lb": "pound pounds",
    "lbs": "pound pounds",
    "oz": "ounce ounces",
    "L": "liter liters",
    "l": "liter liters",
    "ml": "milliliter milliliters",
    "mL": "milliliter milliliters",
    "gal": "gallon gallons",
    "\u00b0C": "degree_Celsius degrees_Celsius",
    "\u00b0 C": "degree_Celsius degrees_Celsius",
    "\u00b0F": "degree_Fahrenheit degrees_Fahrenheit",
    "\u00b0 F": "degree_Fahrenheit degrees_Fahrenheit",
    "\u00b0": "degree degrees",
    "mph": "mile_per_hour miles_per_hour",
    "kph": "kilometer_per_hour kilometers_per_hour",
    "km/h": "kilometer_per_hour kilometers_per_hour",
    "m/s": "meter_per_second meters_per_second",
    "KB": "kilobyte kilobytes",
    "kB": "kilobyte kilobytes",
    "MB": "megabyte megabytes",
    "GB": "gigabyte gigabytes",
    "TB": "terabyte terabytes",
    "Mbps": "megabit_per_second megabits_per_second",
    "Gbps": "gigabit_per_second gigabits_per_second",
    "Hz": "hertz hertz",
    "kHz": "kilohertz kilohertz",
    "MHz": "megahertz megahertz",
    "GHz": "gigahertz gigahertz",
    "W": "watt watts",
    "kW": "kilowatt kilowatts",
    "kWh": "kilowatt_hour kilowatt_hours",
    "V": "volt volts",
    "s": "second seconds",
    "sec": "second seconds",
    "secs": "second seconds",
    "ms": "millisecond milliseconds",
    "min": "minute minutes",
    "mins": "minute minutes",
    "h": "hour hours",
    "hr": "hour hours",
    "hrs": "hour hours",
    "yr": "year years",
    "yrs": "year years",
    "m\u00b2": "square_meter square_meters",
    "km\u00b2": "square_kilometer square_kilometers",
    "m\u00b3": "cubic_meter cubic_meters",
    "sq ft": "square_foot square_feet",
    "sq. ft.": "square_foot square_feet",
    "\u00a2": "cent cents",
}
UNITS = {
    unit: (one.replace("_", " "), many.replace("_", " "))
    for unit, (one, many) in ((u, n.split()) for u, n in _NAMES.items())
}
"""Written unit to its spoken singular and plural."""
PER = {
    "month": "per month",
    "months": "per months",
    "mo": "per month",
    "minute": "per minute",
    "min": "per minute",
    "year": "per year",
    "yr": "per year",
    "hour": "per hour",
    "hr": "per hour",
    "week": "per week",
    "wk": "per week",
    "day": "per day",
    "night": "per night",
    "person": "per person",
    "user": "per user",
    "seat": "per seat",
    "unit": "per unit",
    "call": "per call",
    "second": "per second",
    "sec": "per second",
    "kg": "per kilogram",
    "lb": "per pound",
    "ml": "per milliliter",
    "L": "per liter",
}
"""What may follow "/" after an amount."""
STATES = dict(
    pair.split("=")
    for pair in (
        "AL=Alabama|AK=Alaska|AZ=Arizona|AR=Arkansas|CA=California|CO=Colorado|CT=Connecticut|DE=Delaware|FL=Florida|"
        "GA=Georgia|HI=Hawaii|ID=Idaho|IL=Illinois|IN=Indiana|IA=Iowa|KS=Kansas|KY=Kentucky|LA=Louisiana|ME=Maine|"
        "MD=Maryland|MA=Massachusetts|MI=Michigan|MN=Minnesota|MS=Mississippi|MO=Missouri|MT=Montana|NE=Nebraska|"
        "NV=Nevada|NH=New Hampshire|NJ=New Jersey|NM=New Mexico|NY=New York|NC=North Carolina|ND=North Dakota|OH=Ohio|"
        "OK=Oklahoma|OR=Oregon|PA=Pennsylvania|RI=Rhode Island|SC=South Carolina|SD=South Dakota|TN=Tennessee|TX=Texas|"
        "UT=Utah|VT=Vermont|VA=Virginia|WA=Washington|WV=West Virginia|WI=Wisconsin|WY=Wyoming|DC=D.C."
    ).split("|")
)
"""The states whose two letters stand before a ZIP code."""
