"""Classification by given rules, and requests that must or must not be answered under house rules."""

from __future__ import annotations

from random import Random

from routemark.families.base import Draft, bullets, choice, exact, family, split

# --------------------------------------------------------------------------- the first rule that fits

Rules = list[tuple[str, str, str, list[str], list[str]]]
"""Two words, the label, sentences that hold one of the words, and sentences that only seem to."""
_HELP: Rules = [
    (
        "outage",
        "offline",
        "Operations",
        ["The printer is offline again.", "There was an outage at noon."],
        ["The outages of last year are forgotten.", "Everything is online now."],
    ),
    (
        "invoice",
        "refund",
        "Billing",
        ["I would like a refund.", "The invoice has the wrong date."],
        ["My first order was never invoiced.", "The refunded fee arrived."],
    ),
    (
        "password",
        "login",
        "Access",
        ["My login works again.", "The password came by post."],
        ["All passwords were changed in May.", "I am logged in all day."],
    ),
    (
        "slow",
        "crash",
        "Software",
        ["Every report is slow.", "After a crash the file was empty."],
        ["The slowest part is the search.", "The program crashed in spring."],
    ),
    (
        "delivery",
        "parcel",
        "Shipping",
        ["The delivery came on a Friday.", "A parcel stands at the gate."],
        ["Two parcels stand at the gate.", "The tablet was delivered."],
    ),
]
_PRESS: Rules = [
    (
        "correction",
        "mistake",
        "Corrections",
        ["Page four needs a correction.", "One mistake made us laugh."],
        ["You were mistaken about the bridge.", "Both corrections were printed."],
    ),
    (
        "council",
        "mayor",
        "Town Hall",
        ["The mayor came on foot.", "The council met in the rain."],
        ["Two former mayors sang.", "The councillors were hungry."],
    ),
    (
        "school",
        "teacher",
        "Education",
        ["A teacher told us stories.", "The school has a new roof."],
        ["The schoolchildren loved it.", "Our teachers are young."],
    ),
    (
        "bus",
        "tram",
        "Transport",
        ["The tram stood still.", "We waited for the bus."],
        ["Nobody runs more trams.", "The business street was empty."],
    ),
    (
        "concert",
        "theatre",
        "Culture",
        ["The concert was sold out.", "The theatre smelt of paint."],
        ["Concerts are rare here.", "The theatrical tour begins in June."],
    ),
]
_STORE: Rules = [
    (
        "fragile",
        "glass",
        "Shelf Foam",
        ["The lid is of glass.", "It is marked fragile."],
        ["The body is of glassfibre.", "The fragility was tested."],
    ),
    (
        "battery",
        "acid",
        "Shelf Steel",
        ["It works without a battery.", "Keep away from acid."],
        ["Batteries are sold apart.", "The acidic smell will go."],
    ),
    (
        "cable",
        "wire",
        "Shelf Reel",
        ["A cable is enclosed.", "It hangs on a wire."],
        ["It is wireless.", "The cables are black."],
    ),
    (
        "screw",
        "bolt",
        "Shelf Bin",
        ["One screw is spare.", "A bolt holds the handle."],
        ["Spare screws are in the bag.", "It is bolted to the wall."],
    ),
    (
        "manual",
        "leaflet",
        "Shelf Paper",
        ["The manual is in Dutch.", "A leaflet tells the rest."],
        ["It is adjusted manually.", "Leaflets are free."],
    ),
]
_CITY: Rules = [
    (
        "fire",
        "smoke",
        "Red",
        ["There was smoke over the roof.", "The fire is out."],
        ["The fireworks were loud.", "A smoked fish lay there."],
    ),
    (
        "flood",
        "leak",
        "Blue",
        ["The leak is small.", "The flood reached the steps."],
        ["The leaking pipe is dry now.", "The flooded cellar was pumped out."],
    ),
    (
        "pothole",
        "crack",
        "Grey",
        ["A pothole is at number nine.", "I saw a crack in the wall."],
        ["There are no potholes.", "The cracked bell rang."],
    ),
    (
        "graffiti",
        "litter",
        "Green",
        ["Somebody dropped litter.", "The graffiti is new."],
        ["Someone littered the square.", "The benches need paint."],
    ),
    (
        "lamp",
        "light",
        "Yellow",
        ["One lamp flickers.", "The light is too weak."],
        ["The lamps went out.", "A lighter lay on the bench."],
    ),
]
_DESKS = (
    ("A help desk hands each message to one team.", "message", _HELP, "General Desk"),
    ("A newspaper sorts letters to the editor into boxes.", "letter", _PRESS, "Mixed Post"),
    ("A parts store files incoming items by their description.", "description", _STORE, "Shelf Open"),
    ("A city app labels the reports of residents.", "report", _CITY, "White"),
)


@family("easy", "classification")
def first_rule_that_fits(rng: Random) -> Draft | None:
    """First rule that fits a text."""
    intro, noun, pool, other = rng.choice(_DESKS)
    rules = rng.sample(pool, len(pool))
    true = sorted(rng.sample(range(5), rng.choice([0, 1, 2, 2, 2])))
    sentences = [
        rng.choice(rules[k][3] if k in true else rules[k][4])
        for k in range(5)
        if k in true or rng.random() < 0.85
    ]
    if len(sentences) < 3:
        return None
    rng.shuffle(sentences)
    label = rules[true[0]][2] if true else other
    shown = [f'{k}. contains "{a}" or "{b}": {name}' for k, (a, b, name, _, _) in enumerate(rules, 1)]
    lines = "\n".join([*shown, f"{len(rules) + 1}. anything else: {other}"])
    text = (
        f"{intro} The rules are tried from top to bottom and the first rule that fits decides. A word counts"
        f" only if it stands in the {noun} as a whole word, in upper or lower case.\n\n{lines}\n\nText:"
        f' "{" ".join(sentences)}"\n\nWhich label is right?'
    )
    return choice(rng, text, label, [name for name in [*(rule[2] for rule in rules), other] if name != label])


_PARCELS = (
    ("parcels of a courier", "parcel", split("Letter Bag Crate Pallet Cargo")),
    ("pots of a nursery", "pot", split("Tray Bench Frame House Field")),
    ("stones of a mason", "stone", split("Chip Kerb Step Slab Block")),
)


@family("easy", "classification", quotes=True)
def size_classes(rng: Random) -> Draft | None:
    """The class of a thing by its measures."""
    what, noun, labels = rng.choice(_PARCELS)
    weights = sorted(rng.sample(range(2, 40), 4))
    lengths = sorted(rng.sample(range(20, 200, 5), 4))
    weight, length = rng.randint(1, 42), rng.randint(15, 210)
    heavy = rng.choice(["Fragile", "Urgent"])
    place = next((k for k in range(4) if weight <= weights[k] and length <= lengths[k]), 4)
    moved = rng.random() < 0.5
    final = min(4, place + 1) if moved else place
    by_weight = next((k for k in range(4) if weight <= weights[k]), 4)
    if (place == by_weight and rng.random() < 0.8) or (place == 4 and rng.random() < 0.7):
        return None
    rows = [
        f"{label}: at most {w} kg and at most {n} cm long"
        for label, w, n in zip(labels[:4], weights, lengths, strict=True)
    ]
    text = (
        f"The {what} are put into classes, from the smallest to the"
        f" largest:\n{bullets([*rows, f'{labels[4]}: all others'])}\nThe class is the"
        f' first one that fits. A {noun} marked "{heavy}" then goes one class up, but not beyond'
        f" {labels[4]}.\n\nA {noun} weighs {weight} kg and is {length} cm long."
        f" {f'It is marked {chr(34)}{heavy}{chr(34)}.' if moved else 'It bears no mark.'} Which class is it"
        " in? Answer with the name of the class only."
    )
    return exact(text, labels[final])


# --------------------------------------------------------------------------- rules in steps


# --------------------------------------------------------------------------- house rules


FAMILIES = (
    first_rule_that_fits,
    size_classes,
)
