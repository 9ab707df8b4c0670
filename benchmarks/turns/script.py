"""What the callers of the clips say. A bar is a pause: silence is put there, and taking the turn in it is a cut-in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A caller's turn. `asks` is what the agent said before; what is `dictated` is said piece by piece."""

    asks: str
    says: str
    dictated: bool = False


HELLO = "Lakeside Dental, how can I help you?"

COMPLETE = [
    Line(HELLO, "I would like to make an appointment."),
    Line(HELLO, "When are you open on Saturday?"),
    Line("Which day suits you?", "Next Tuesday would be best for me."),
    Line("Do you have any pain?", "Yes."),
    Line("Is that right?", "Yes, that's right."),
    Line("Would you like me to book that?", "No, thank you."),
    Line("What can I do for you today?", "My tooth has been hurting since yesterday."),
    Line("Who would you like to see?", "Doctor Patel, please."),
    Line("Is there anything else?", "How much does a cleaning cost?"),
    Line("May I have your name?", "My name is Michael Turner."),
]
MID_SENTENCE = [
    Line(HELLO, "I would like to come in | sometime next week."),
    Line(HELLO, "My daughter needs a check up and | we were hoping for Friday."),
    Line("Which day suits you?", "On Tuesday | or maybe on Wednesday morning."),
    Line("What happened?", "I was eating an apple | when a piece of my tooth broke off."),
    Line("What can I do for you?", "I want to cancel the | appointment I made for Monday."),
    Line("How did you hear about us?", "A friend of mine told me that | you are very good with children."),
    Line("Would you like me to book that?", "Yes | but could we make it a bit later?"),
    Line("Is there anything else?", "Could you tell me if | you take Delta Dental?"),
    Line("Which doctor did you see?", "I think it was | Doctor Lee | but I am not sure."),
    Line("When did it start?", "About two weeks ago | after I had the filling."),
]
SPELLING = [
    Line("Could you spell your last name for me?", "T | U | R | N | E | R", dictated=True),
    Line("How do you spell that?", "K | O | W | A | L | S | K | I", dictated=True),
    Line("Please spell your first name.", "J | O | H | N", dictated=True),
    Line("Could you spell the street?", "M | A | P | L | E", dictated=True),
    Line("Can you spell that for me?", "it's B | R | A | U | N", dictated=True),
]
NUMBERS = [
    Line("What is your phone number?", "four one five | five five five | zero one two three", dictated=True),
    Line("What number can we reach you at?", "it's two one two | five five five | zero one nine eight", dictated=True),
    Line("Can I have your phone number?", "five five five | zero one four seven", dictated=True),
    Line(
        "What is the best number to call you back?",
        "six five zero | five five five | oh one double three",
        dictated=True,
    ),
    Line("Please read me your member number.", "eight two four | seven one | nine zero five", dictated=True),
    Line("What is your zip code?", "nine four | one one zero", dictated=True),
    Line("What is your date of birth?", "the fourth of May | nineteen eighty two", dictated=True),
]
HESITATION = [
    Line("Which day suits you?", "Um | I think Thursday would work."),
    Line("Who is your insurance with?", "Let me see | it says Cigna on the card."),
    Line("When was your last visit?", "It was, uh | about a year ago."),
    Line("What time would you like?", "Well, um | maybe ten in the morning?"),
    Line("Which doctor did you see?", "I saw, er | Doctor Patel, I believe."),
    Line("What is your address?", "It's, um | twelve Main Street."),
    Line("Do you have your card with you?", "Hold on | yes, I have it here."),
]
PRIMER = "When are you open on Saturday?"
ANSWERS = [
    "We are open from Monday to Friday, from half past eight until half past five, and on Saturday mornings.",
    "A cleaning costs one hundred and twenty dollars, and most insurance plans will cover two of them a year.",
    "Doctor Patel has time for you on Thursday at ten, or on Friday at a quarter past two in the afternoon.",
    "You can park behind the house, and if the gate is closed please ring the bell next to the front door.",
    "We are across from the library on Main Street, about five minutes on foot from the train station.",
]
BACKCHANNELS = ["Mm-hm.", "Okay.", "Yeah.", "Right.", "Uh-huh.", "Yes, okay.", "Alright.", "Great, thank you."]
INTERRUPTIONS = [
    "Wait, I meant Sunday.",
    "No, not this week.",
    "Excuse me, how much was it?",
    "Stop.",
    "Sorry, can you repeat that?",
]
