"""The tool by which the agent looks things up when it wants to, besides what is looked up for each turn."""

from __future__ import annotations

from collections.abc import Mapping

from voice.knowledge import Knowledge
from voice.providers.base import ToolSchema
from voice.tools import CallControl, Outcome, ToolError, ToolPolicy

MOST = 4


class KnowledgeTool:
    """Searches a knowledge base. `about` says what is in it, for the model."""

    def __init__(
        self,
        knowledge: Knowledge,
        *,
        about: str,
        name: str = "search_knowledge",
        policy: ToolPolicy = ToolPolicy(timeout=5.0),  # noqa: B008  (frozen)
    ) -> None:
        self.policy = policy
        self._knowledge = knowledge
        self.schema = ToolSchema(
            name=name,
            description=f"Look something up before you answer, where you are not sure. It knows about: {about}",
            parameters={
                "type": "object",
                "properties": {"query": {"type": "string", "minLength": 1, "description": "What to look for."}},
                "required": ["query"],
            },
        )

    async def run(self, arguments: Mapping[str, object], call: CallControl) -> Outcome:
        try:
            passages = await self._knowledge.search(str(arguments["query"]), most=MOST)
        except Exception as error:  # whatever it is made of
            raise ToolError(f"The knowledge base cannot be searched now: {error}.") from error
        if not passages:
            return Outcome("Nothing was found. Do not guess: say that you do not know.")
        return Outcome("\n".join(f"- {passage.text} ({passage.source})" for passage in passages))
