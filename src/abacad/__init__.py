"""abacad finds technosignatures in radio-telescope ON–OFF cadences."""

__version__ = "0.1.0"
