"""All use of DVC's private modules; the rest of the toolkit uses DVC through here."""
