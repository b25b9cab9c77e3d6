"""`make demo`: plays the story on a fresh stack, from a signed issue webhook to a merged change on either forge."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from local.stack import Configuration, Ports, PortTakenError, Stack, StackError
from local.stack.configuration import STATE
from local.story.acts import Story
from local.story.stage import StoryError


def play(console: Console, stack: Stack) -> int:
    """Start the stack and play every act."""
    started = time.monotonic()
    with Progress(
        TextColumn("[bold]▸ Starting the {task.description}[/bold]"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("stack")
        ready = stack.start(lambda part: progress.update(task, description=part))
    console.print(f"[bold]▸ The stack is up[/bold] [dim]{time.monotonic() - started:.1f} s[/dim]")
    story = Story(ready, console)
    try:
        story.check_connection()
        story.want_reviews()
        story.refuse_stranger()
        number = story.answer_incomplete()
        story.create(number)
        view = story.recover(number)
        story.run_again(view["request"])
        story.heal()
        story.review()
        proof = story.prove()
    finally:
        story.close()
    story.summary(view, proof)
    console.print(f"[dim]The whole story took {time.monotonic() - started:.1f} s.[/dim]")
    return 0


def main(arguments: list[str]) -> int:
    """0 when every act came true, 1 when one did not, 2 when the stack did not start."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--stay", action="store_true", help="keep the stack up afterwards, until Ctrl-C")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    console = Console()
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Of this process alone, so that demos at the same time do not meet.
    state = Path(tempfile.mkdtemp(prefix="demo-", dir=STATE))
    failed = False
    try:
        code = tell(console, state, stay=options.stay)
        failed = code in {1, 2}
    except PortTakenError as error:
        console.print(f"[bold red]✘[/bold red] {error}")
        return 2
    finally:
        if not failed:
            shutil.rmtree(state, ignore_errors=True)
    if failed:
        console.print(f"[dim]What the parts of the stack said is kept in {state}.[/dim]", soft_wrap=True)
    return code


def tell(console: Console, state: Path, *, stay: bool) -> int:
    """Play on a stack whose state is kept in ``state``; 0, 1 or 2 as of ``main``. Raises ``PortTakenError``."""
    with_stack = Stack(Configuration(ports=Ports.free(), state=state, project_seconds=(2.0, 3.0)))
    try:
        code = play(console, with_stack)
        if stay:
            console.print("The links stay up until Ctrl-C.")
            signal.pause()
        else:
            console.print(
                "[dim]`make demo STAY=1` keeps the pages up to look around; `make serve` starts afresh.[/dim]"
            )
        return code
    except StackError as error:
        console.print(f"[bold red]✘ The stack did not start[/bold red]\n{error}", highlight=False)
        return 2
    except StoryError as error:
        console.print(
            f"[bold red]✘ {error.step}[/bold red]\n  what: {error}\n  remedy: {error.remedy}", highlight=False
        )
        return 1
    except httpx.HTTPError as error:
        console.print(f"[bold red]✘ A part of the stack stopped answering:[/bold red] {error!r}", highlight=False)
        return 1
    except KeyboardInterrupt:
        return 0 if stay else 130
    finally:
        with_stack.stop()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
