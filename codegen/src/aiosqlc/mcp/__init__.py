"""Serve a project's queries, and no other SQL, to assistants (Model Context Protocol).

    TypedQuery + McpPolicy → Offer → Tool → Call → Outcome

`offers` decides which queries become tools, and why other queries do not. `generated` writes the
tools' functions to a temporary package. `tools` describes these functions as JSON Schema. `gate`
runs one call within the limits of the policy. `server` implements the protocol.
"""
