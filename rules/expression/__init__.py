"""The language of written rules: text → tokens → tree → checked instructions → arrays.

`docs/rules-language.md` is its description. Nothing of a text is ever executed as Python; whatever
is wrong in it is told with its place (`lexer.RuleFault`). `check` knows types and units, `program`
makes arrays of the instructions of all rules, `evaluate` runs them in three-valued logic.
"""
