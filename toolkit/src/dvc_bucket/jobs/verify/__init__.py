"""`bucket verify`: the report of an audit of remote or cache."""
