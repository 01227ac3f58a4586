"""Serve only a project's queries to assistants over the Model Context Protocol.

    TypedQuery + McpPolicy → Offer → Tool → Call → Outcome

`offers` decides which queries are tools and says why the others are not. `generated` prints their
functions into a private package, `tools` describes these functions as JSON Schema, `gate` runs one
call within its limits, `server` speaks the protocol.
"""
