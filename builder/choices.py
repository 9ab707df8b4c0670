"""What the controls of the agent page offer: stored values, and what they are called."""

from __future__ import annotations

from zoneinfo import available_timezones

from voice.media.scenes import SCENES

LANGUAGES = [
    ("en", "English"),
    ("ar", "Arabic"),
    ("zh", "Chinese"),
    ("cs", "Czech"),
    ("da", "Danish"),
    ("nl", "Dutch"),
    ("fi", "Finnish"),
    ("fr", "French"),
    ("de", "German"),
    ("el", "Greek"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("hu", "Hungarian"),
    ("id", "Indonesian"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("ko", "Korean"),
    ("no", "Norwegian"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("es", "Spanish"),
    ("sv", "Swedish"),
    ("th", "Thai"),
    ("tr", "Turkish"),
    ("uk", "Ukrainian"),
    ("vi", "Vietnamese"),
]
FIRST = [
    ("greeting", "The agent, with its greeting"),
    ("model", "The agent, in words of its own"),
    ("caller", "The caller"),
]
DISCLOSED = [("first", "Before all else"), ("after_greeting", "After the greeting")]
NOISE = [("off", "Leave it"), ("auto", "Reduce it where there is much"), ("max", "Reduce it as far as can be")]
INTERRUPTIONS = [(1.2, "Low: only when the caller insists"), (0.6, "Medium"), (0.3, "High: at once")]
DICTATION = [(1.0, "As for other turns"), (2.0, "Twice as long"), (3.0, "Three times as long")]
GREETS = [("", "It goes on"), ("yes", "It greets the caller")]
HONESTY = [
    ("off", "Do nothing"),
    ("flag", "Mark them on the call's page"),
    ("correct", "Take them back aloud"),
]
TIMEZONES = [*sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")), "UTC"]
TERMINATORS = [("#", "the # key"), ("*", "the * key"), ("", "a pause only")]
TYPES = [("string", "Text"), ("number", "Number"), ("boolean", "Yes or no"), ("date", "Date")]
BEDS = [("", "None"), *((name, name.replace("_", " ").capitalize().replace("Cafe", "Café")) for name in SCENES)]
"""A workspace may have more of them."""
