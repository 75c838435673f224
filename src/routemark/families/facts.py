"""Knowledge: chemical elements, capitals, and years of events, alone and in chains."""

from __future__ import annotations

from random import Random

from routemark.families.base import Draft, exact, family, graded, numeric, split

ELEMENTS = split(
    "H-hydrogen He-helium Li-lithium Be-beryllium B-boron C-carbon N-nitrogen O-oxygen F-fluorine Ne-neon"
    " Na-sodium Mg-magnesium Al-aluminium Si-silicon P-phosphorus S-sulfur Cl-chlorine Ar-argon K-potassium"
    " Ca-calcium Sc-scandium Ti-titanium V-vanadium Cr-chromium Mn-manganese Fe-iron Co-cobalt Ni-nickel"
    " Cu-copper Zn-zinc Ga-gallium Ge-germanium As-arsenic Se-selenium Br-bromine Kr-krypton Rb-rubidium"
    " Sr-strontium Y-yttrium Zr-zirconium Nb-niobium Mo-molybdenum Tc-technetium Ru-ruthenium Rh-rhodium"
    " Pd-palladium Ag-silver Cd-cadmium In-indium Sn-tin Sb-antimony Te-tellurium I-iodine Xe-xenon"
    " Cs-caesium Ba-barium La-lanthanum Ce-cerium Pr-praseodymium Nd-neodymium Pm-promethium Sm-samarium"
    " Eu-europium Gd-gadolinium Tb-terbium Dy-dysprosium Ho-holmium Er-erbium Tm-thulium Yb-ytterbium"
    " Lu-lutetium Hf-hafnium Ta-tantalum W-tungsten Re-rhenium Os-osmium Ir-iridium Pt-platinum Au-gold"
    " Hg-mercury Tl-thallium Pb-lead Bi-bismuth Po-polonium At-astatine Rn-radon Fr-francium Ra-radium"
    " Ac-actinium Th-thorium Pa-protactinium U-uranium"
)
"""Symbol and name, in the order of the atomic numbers, from 1 on."""
_ALSO = {
    "aluminium": ["aluminum"],
    "sulfur": ["sulphur"],
    "caesium": ["cesium"],
    "tungsten": ["wolfram"],
}
_TABLE = "IUPAC Periodic Table of the Elements"


def _element(number: int) -> tuple[str, list[str]]:
    symbol, _, name = ELEMENTS[number - 1].partition("-")
    return symbol, [name, *_ALSO.get(name, [])]


@family("easy", "factual-knowledge")
def one_element(rng: Random) -> Draft | None:
    """Name, symbol or number of a chemical element."""
    number = rng.randint(3, 56)
    symbol, names = _element(number)
    kind = rng.randrange(3)
    if kind == 0:
        draft = exact(
            f"Which chemical element has the atomic number {number}? Answer with its English name only.",
            names,
        )
    elif kind == 1:
        draft = numeric(rng, f"What is the atomic number of the chemical element {names[0]}?", number)
    else:
        draft = exact(
            f"Which chemical element has the symbol {symbol}? Answer with its English name only.", names
        )
    return draft._replace(source=_TABLE)


CAPITALS = split(
    "Albania:Tirana|Argentina:Buenos"
    " Aires|Armenia:Yerevan|Austria:Vienna|Azerbaijan:Baku|Bahrain:Manama|Belarus:Minsk|Bulgaria:Sofia|Cambodia:Phnom"
    " Penh|Canada:Ottawa|Chile:Santiago|Colombia:Bogotá|Croatia:Zagreb|Cuba:Havana|Denmark:Copenhagen|Ecuador:Quito|Egypt:Cairo|Eritrea:Asmara|Estonia:Tallinn|Ethiopia:Addis"
    " Ababa|Finland:Helsinki|Georgia:Tbilisi|Ghana:Accra|Greece:Athens|Hungary:Budapest|Iceland:Reykjavik|Iran:Tehran|Iraq:Baghdad|Ireland:Dublin|Jamaica:Kingston|Jordan:Amman|Kenya:Nairobi|Laos:Vientiane|Latvia:Riga|Lebanon:Beirut|Lithuania:Vilnius|Madagascar:Antananarivo|Malta:Valletta|Mongolia:Ulaanbaatar|Morocco:Rabat|Mozambique:Maputo|Namibia:Windhoek|New"
    " Zealand:Wellington|Norway:Oslo|Oman:Muscat|Peru:Lima|Poland:Warsaw|Portugal:Lisbon|Qatar:Doha|Romania:Bucharest|Rwanda:Kigali|Senegal:Dakar|Serbia:Belgrade|Slovakia:Bratislava|Slovenia:Ljubljana|Sudan:Khartoum|Syria:Damascus|Thailand:Bangkok|Tunisia:Tunis|Uganda:Kampala|Uruguay:Montevideo|Uzbekistan:Tashkent|Venezuela:Caracas|Vietnam:Hanoi|Zambia:Lusaka|Zimbabwe:Harare"
)
_CAPITAL_ALSO = {
    "Bogotá": ["Bogota"],
    "Reykjavik": ["Reykjavík"],
    "Ulaanbaatar": ["Ulan Bator", "Ulaanbataar"],
    "Vientiane": ["Viangchan"],
}


@family("easy", "factual-knowledge")
def one_capital(rng: Random) -> Draft | None:
    """Capital of a country, or country of a capital."""
    country, _, capital = rng.choice(CAPITALS).partition(":")
    source = f"Encyclopaedia article '{country}'"
    if rng.random() < 0.5:
        text = f"What is the capital of {country}? Answer with the name of the city only."
        return graded("contains", text, [capital, *_CAPITAL_ALSO.get(capital, [])])._replace(source=source)
    text = f"Of which country is {capital} the capital? Answer with the English name of the country only."
    return graded("contains", text, country)._replace(source=source)


@family("hard", "multi-hop-knowledge")
def element_sum(rng: Random) -> Draft | None:
    """Which element has the sum or difference of the atomic numbers of others."""
    a, b, c = rng.sample(range(3, 57), 3)
    total = a + b - c
    if total in (a, b, c) or not 3 <= total <= 88:
        return None
    (sa, na), (sb, nb), (sc, nc) = _element(a), _element(b), _element(c)
    shown = rng.choice(
        [
            f"Add the atomic numbers of {na[0]} and {nb[0]}, and subtract the atomic number of {nc[0]}.",
            (
                f"Add the atomic numbers of the elements with the symbols {sa} and {sb}, and subtract the"
                f" atomic number of {nc[0]}."
            ),
            (
                f"Add the atomic number of {na[0]} to that of the element with the symbol {sb}, and subtract"
                f" that of the element with the symbol {sc}."
            ),
        ]
    )
    names = _element(total)[1]
    text = f"{shown} The result is the atomic number of another element. Which one? Answer with its English name only."
    return exact(text, names)._replace(source=[_TABLE])


EVENTS = split(
    "1066:the Battle of Hastings was fought|1215:Magna Carta was first sealed|1415:the Battle of Agincourt"
    " was fought|1453:Constantinople was taken by the Ottomans|1492:Columbus first reached the"
    " Americas|1517:Luther published his Ninety-five Theses|1543:Copernicus's De revolutionibus was first"
    " printed|1588:the Spanish Armada sailed against England|1598:the Edict of Nantes was issued|1648:the"
    " Peace of Westphalia was concluded|1649:Charles I of England was beheaded|1666:the Great Fire of London"
    " burned|1687:Newton's Principia was first published|1755:the great earthquake destroyed Lisbon|1776:the"
    " United States Declaration of Independence was adopted|1779:Captain James Cook was killed in"
    " Hawaii|1789:the Bastille was stormed|1805:the Battle of Trafalgar was fought|1815:the Battle of"
    " Waterloo was fought|1851:the Great Exhibition was held in the Crystal Palace in London|1859:Darwin's On"
    " the Origin of Species was first published|1869:the Suez Canal was opened|1883:the volcano Krakatoa blew"
    " up|1889:the Eiffel Tower was opened|1895:Röntgen discovered X-rays|1896:the first modern Olympic Games"
    " were held in Athens|1903:the Wright brothers made the first powered flight|1906:an earthquake and fire"
    " destroyed much of San Francisco|1911:Amundsen reached the South Pole|1912:the Titanic sank|1914:the"
    " Panama Canal was opened|1919:the Treaty of Versailles was signed|1928:Fleming discovered"
    " penicillin|1930:the first football World Cup was held|1937:the Golden Gate Bridge was opened|1945:the"
    " Charter of the United Nations was signed|1953:Mount Everest was first climbed|1957:Sputnik 1 was"
    " launched|1969:people first walked on the Moon|1989:the Berlin Wall fell"
)


@family("hard", "multi-hop-knowledge")
def years_between(rng: Random) -> Draft | None:
    """Years from one event to another, or a sum over three."""
    chosen = sorted(rng.sample(EVENTS, 3))
    (y1, first), (y2, second), (y3, third) = ((int(event[:4]), event[5:]) for event in chosen)
    if min(y2 - y1, y3 - y2) < 12 or y2 - y1 == y3 - y2:
        return None
    source = [f"Encyclopaedia article on the event: {event[5:]} ({event[:4]})" for event in chosen]
    if rng.random() < 0.5:
        text = (
            f"Take the year in which {first}, the year in which {second}, and the year in which {third}. How"
            " many years longer is the longer of the two spans between neighbouring ones of these years than"
            " the shorter?"
        )
        return numeric(rng, text, abs((y3 - y2) - (y2 - y1)))._replace(source=source)
    text = (
        f"Take the number of years from the year in which {first} to the year in which {second}. As many"
        f" years after the year in which {third}, which year is it?"
    )
    return numeric(rng, text, y3 + y2 - y1)._replace(source=source)


FAMILIES = (one_element, one_capital, element_sum, years_between)
