"""A dental practice's papers in passages, and questions of its callers with the passage that answers each.

Many of the questions share no word with their answer, others hang on one word that means little to an embedding
model, as a name or a number does: neither kind of search finds all of them.
"""

from __future__ import annotations

PASSAGES: dict[str, str] = {
    "hours": (
        "The practice is open Monday to Thursday from 8 am to 6 pm and on Friday until 2 pm. We are closed on "
        "weekends and on public holidays."
    ),
    "parking": (
        "There are twelve spaces behind the building, reached by Mill Lane. They are free for the first two hours. "
        "The entrance has a step-free ramp."
    ),
    "cancel": (
        "Appointments can be moved or called off free of charge up to 24 hours before. After that we bill a fee of 40 "
        "pounds."
    ),
    "first-visit": (
        "New patients are asked to come ten minutes early to fill in the medical questionnaire, and to bring a list "
        "of the medicines that they take."
    ),
    "insurance": (
        "We settle directly with Bupa, Denplan and Cigna. With other insurers you pay us first and hand in the "
        "invoice yourself."
    ),
    "payment": (
        "We take cards, bank transfer and cash. Treatments over 500 pounds can be paid in six monthly instalments "
        "without interest."
    ),
    "emergency": (
        "Outside opening hours call the emergency service at 0117 496 0333. With heavy bleeding or swelling that "
        "hinders breathing call 999."
    ),
    "children": (
        "Children are seen by Dr. Amara Nwosu, who has a room with toys and takes her time. The first check-up is "
        "best at the age of two."
    ),
    "implants": (
        "Implants are placed by Dr. Henrik Sandvik. A single titanium implant with its crown costs 2,350 pounds and "
        "takes about four months from start to end."
    ),
    "whitening": (
        "Whitening with the Zoom lamp takes ninety minutes and costs 320 pounds. Crowns and fillings keep their colour."
    ),
    "braces": (
        "For crooked teeth we fit clear aligners of the make SmileLine. The plan is drawn from a scan, and you change "
        "to the next set every ten days."
    ),
    "anxiety": (
        "Whoever is frightened of treatment may have nitrous oxide or be put to sleep lightly. Please tell us "
        "beforehand, and bring somebody who takes you home."
    ),
    "root-canal": (
        "Root canal treatment is done under a microscope in two sittings of about an hour. Expect tenderness for two "
        "or three days."
    ),
    "after-extraction": (
        "After a tooth is taken out, do not rinse, smoke or drink coffee that day. Cool your cheek, and bite on the "
        "gauze for half an hour."
    ),
    "hygiene": "A professional clean by our hygienist Paula costs 75 pounds and is advised every six months.",
    "privacy": (
        "Records are kept for eleven years on servers in Frankfurt. Write to privacy@millpractice.example to have a "
        "copy of yours or to have it erased."
    ),
    "languages": "Besides English our staff speak Polish, Norwegian and Igbo.",
    "x-ray": (
        "Digital pictures of the jaw need a tenth of the radiation of a film. We take them only when needed, and "
        "never of pregnant women without pressing cause."
    ),
    "gift-cards": "Vouchers for whitening and cleaning are sold at the desk and are valid for three years.",
    "directions": (
        "Bus 41 and 76 stop in front of the door at Mill Lane. From Temple Meads station it is a walk of twelve "
        "minutes along the river."
    ),
    "code-e17": (
        "The display of the night guard case shows E17 when its battery is low. Put it on the charger for an hour."
    ),
    "code-e23": (
        "The display of the night guard case shows E23 when the guard was not rinsed. Rinse it and close the lid."
    ),
    "complaints": (
        "If something went wrong, talk to the practice manager, Ms. Ferreira. You have an answer within ten working "
        "days."
    ),
    "prescriptions": (
        "Repeat prescriptions are sent to your pharmacy electronically within two working days. Ask for them by phone "
        "or by mail."
    ),
}

QUESTIONS: list[tuple[str, str]] = [
    ("Are you there on Saturdays?", "hours"),
    ("until when can I come on Friday", "hours"),
    ("Where can I leave my car?", "parking"),
    ("Can I get in with a wheelchair?", "parking"),
    ("What does it cost if I don't show up?", "cancel"),
    ("I need to reschedule for next week", "cancel"),
    ("What should I bring when I come for the first time?", "first-visit"),
    ("Do you work with Cigna?", "insurance"),
    ("Is it possible to pay in parts?", "payment"),
    ("My face is swollen and it is the middle of the night", "emergency"),
    ("Which dentist is good with my daughter, she is three", "children"),
    ("What does Doctor Sandvik do?", "implants"),
    ("How much to replace one missing tooth for good?", "implants"),
    ("I would like brighter teeth", "whitening"),
    ("How long does the Zoom treatment take?", "whitening"),
    ("My teeth are not straight, what can be done?", "braces"),
    ("I am really scared of the drill", "anxiety"),
    ("how many appointments is a root canal", "root-canal"),
    ("Can I have a cigarette after my tooth was pulled?", "after-extraction"),
    ("What is the price of tartar removal?", "hygiene"),
    ("Please delete my data", "privacy"),
    ("Does anybody there speak Polish?", "languages"),
    ("I'm expecting a baby, can I still be x-rayed?", "x-ray"),
    ("I want to give my mum something for her birthday", "gift-cards"),
    ("How do I get to you by public transport?", "directions"),
    ("the box says E17", "code-e17"),
    ("what does E23 mean", "code-e23"),
    ("I was treated badly and want to speak to who is in charge", "complaints"),
    ("My pills are running out, can you send more to the chemist", "prescriptions"),
    ("Is Paula in on Tuesday?", "hygiene"),
    ("when do you see Denplan patients", "insurance"),
    ("0117 496 0333, what is that number for?", "emergency"),
]

SMALL_TALK = ["Yes, please.", "Okay, thank you, bye.", "Hello?", "Could you say that again?", "Hmm, let me think."]
"""What callers say that is no question to the papers."""
