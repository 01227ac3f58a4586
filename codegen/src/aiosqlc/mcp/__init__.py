"""Serve only a project's queries to assistants over the Model Context Protocol.

    TypedQuery + McpPolicy → Offer → Tool → Call → Outcome

`offers` decides which queries are tools, and gives the reasons for the others. `generated` writes
their functions to a private package. `tools` describes these functions as JSON Schema. `gate` runs
one call within its limits. `server` implements the protocol.
"""
