"""Options of 'prepare' that choose the best tickets, as the command line takes them."""

from typing import Annotated

import typer

Rated = Annotated[
    str, typer.Option(help="'not bad' leaves badly rated tickets out, 'good' all that were not rated good.")
]
LeastGood = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="Leave out agents of whose ratings a smaller share is good.")
]
DropReopened = Annotated[bool, typer.Option("--drop-reopened", help="Leave reopened tickets out.")]
NewestDays = Annotated[
    int, typer.Option(min=0, max=36_500, help="Leave out what is so many days older than the newest; 0 nothing.")
]
WithoutAgent = Annotated[
    list[str] | None, typer.Option(help="An agent (id or name in the export) whose answers are left out.")
]
