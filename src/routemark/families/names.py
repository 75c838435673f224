"""Names that the families draw from: people, places and things that no question depends on."""

from __future__ import annotations

from random import Random

from routemark.families.base import split

PEOPLE = split(
    "Abel Ada Aino Amir Anouk Arno Ayla Bashir Bela Bine Boris Bram Bruna Carla Cato Chidi Ciro Cleo Cruz"
    " Dalia Dario Dina Dinh Dita Dora Dov Edda Egon Emil Emre Esra Eva Ewan Fanny Farid Finn Flora Gaspar Gil"
    " Greta Gus Gwen Hamid Hana Heidi Hugo Ida Igor Ilse Ines Ivo Jana Joao Jola Jun Kaia Kiri Kofi Lars Lena"
    " Levi Luis Marta Mira Mona Nadia Ned Nell Niko Nils Noor Oki Olga Otto Oya Pavel Petra Pia Piet Quim"
    " Ravi Rosa Ruth Sami Seth Suki Sven Tara Tess Tilo Udo Ugo Ulf Umar Vera Vida Vito Wanda Wim Xenia Yann"
    " Yuri Zoe"
)
SURNAMES = split(
    "Albrecht Bakke Castell Dubois Eklund Ferrari Gomez Hansen Ibarra Jansen Keller Lindqvist Moreau Nakata"
    " Okafor Pereira Quist Rossi Santos Tanaka Ulrich Varga Weber Ximenes Yilmaz Zeman"
)
TOWNS = split(
    "Alder Brill Corby Dorn Ely Fenn Garth Holm Irby Joll Kell Lund Moss Nant Otley Penn Quay Roth Skye Tarn"
    " Ulm Vale Wick Yarm Zell"
)
COLOURS = split("red blue green white black yellow brown grey")
WORDS = split(
    "amber anchor apple barrel basket beacon birch bottle branch bridge bucket button cabin candle canyon"
    " carpet castle cedar cellar cherry circle cloud copper coral cotton cradle crystal curtain desert dragon"
    " drawer eagle engine falcon feather fiddle finger flower forest fossil garden ginger glacier goblet"
    " grape guitar hammer harbor helmet hollow honey hunter island jacket jasmine jungle kettle kitten ladder"
    " lantern leather lemon lizard magnet marble market meadow mirror monkey mountain mustard napkin needle"
    " nickel oyster paddle panther parrot pebble pencil pepper pigeon pillow planet pocket pumpkin rabbit"
    " ribbon river rocket saddle sailor salmon scissors shadow silver spider spoon stable summer sunset"
    " temple thunder ticket tiger timber tunnel turtle velvet violet walnut whisper window winter wizard"
    " yellow zebra"
)
WEEKDAYS = split("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
MONTHS = split("January February March April May June July August September October November December")


def people(rng: Random, n: int) -> list[str]:
    """Give n different first names, in alphabetical order."""
    return sorted(rng.sample(PEOPLE, n))


def initials(rng: Random, n: int) -> list[str]:
    """Give n first names with different first letters, in alphabetical order."""
    letters = sorted(rng.sample(sorted({name[0] for name in PEOPLE}), n))
    return [rng.choice([name for name in PEOPLE if name[0] == letter]) for letter in letters]
