"""The `course` command: what a student, an instructor and a developer do with the course."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from autograder.errors import AutograderError, RehearsalError, SandboxUnavailableError
from autograder.startup import leave_out_address_grammar, write_what_fits
from autograder.syllabus import FILE, SOURCES, library
from autograder.terminal import changes, console, grade_with_progress, misconceptions, notes, scores
from autograder.text import one_line
from cnncourse.language import LANGUAGES, full_name

if TYPE_CHECKING:
    from autograder.cohort import Report

app = typer.Typer(
    help="The course on convolutional networks: read it, teach it, grade it.",
    no_args_is_help=True, add_completion=False, rich_markup_mode="rich", pretty_exceptions_show_locals=False,
)
INTERRUPTED = 130
"""Exit status after Ctrl+C, as shells have it."""

CourseFolder = Annotated[Path, typer.Option("--course", help="Folder with nbgrader_config.py.", file_okay=False)]
Trust = Annotated[bool, typer.Option("--trust-submissions", help="Run submissions WITHOUT a sandbox: their code can "
                                     "then do everything that you can.")]

Sandbox = Annotated[str | None, typer.Option(help="How submissions are isolated: bubblewrap (namespaces), landlock "
                                             "(without them), or auto, the first that works here; by default what "
                                             "nbgrader_config.py says, or else auto.")]
Language = Annotated[str, typer.Option(help="Of notebooks, messages and hints: en or zh.")]
Database = Annotated[str | None, typer.Option("--db-url", help="The gradebook's database, for instance "
                                              "postgresql+psycopg://user@host/name; by default what nbgrader_config.py "
                                              "says, or else gradebook.db in the course's folder.")]


def main() -> None:
    """Run the command; errors that are meant for people are shown without a traceback."""
    leave_out_address_grammar()
    write_what_fits()
    try:
        app()
    except AutograderError as error:
        console.print(f"[bold red]Error:[/] {escape(one_line(str(error)))}")
        if isinstance(error, SandboxUnavailableError):
            console.print("Work of people whom you trust can be graded without a sandbox: "
                          "course grade ASSIGNMENT --trust-submissions", markup=False)
        sys.exit(1)
    except (KeyboardInterrupt, SystemExit) as error:  # typer makes the one of the other
        if isinstance(error, SystemExit) and error.code != INTERRUPTED:
            raise
        console.print("\nStopped. What is finished is kept; run the same command again to go on.")
        sys.exit(INTERRUPTED)


@app.command(epilog="Examples: [bold]course lab[/], [bold]course lab --language zh[/], "
                    "[bold]course lab --instructor --course demo[/]")
def lab(
    folder: Annotated[Path, typer.Option(help="Where your own copies of the notebooks lie.")] = Path("work"),
    language: Language = "en",
    instructor: Annotated[bool, typer.Option("--instructor", help="With nbgrader's formgrader, on a course directory "
                                             "and the assignments' sources.")] = False,
    course: CourseFolder = Path("."),
    options: Annotated[list[str] | None, typer.Argument(help="Passed on to jupyter lab, after --.")] = None,
) -> None:
    """Open the notebooks in JupyterLab, as copies of your own that no update overwrites."""
    from autograder.lab import workspace

    language = full_name(language)
    if instructor:
        added = workspace.prepare_course(course.resolve(), language)
    else:
        added = workspace.prepare(taught_in(course), folder, language)
    for path in added:
        console.print(f"new: {path}", soft_wrap=True)
    sys.exit(workspace.start_instructors_jupyterlab(course.resolve(), options or [], language) if instructor else
             workspace.start_jupyterlab(folder, options or [], language, taught_in(course)))


@app.command(epilog="Example: [bold]course build --check[/] fails if a committed notebook is stale.")
def build(
    names: Annotated[list[str] | None, typer.Argument(help="Assignments; by default all.")] = None,
    course: CourseFolder = Path("."),
    language: Annotated[list[str] | None, typer.Option(help="Only this language: en or zh; may be repeated.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail if a notebook or a translation is "
                                        "stale.")] = False,
    catalogues: Annotated[bool, typer.Option("--catalogues", help="Bring the translators' catalogues up to date "
                                             "first.")] = False,
) -> None:
    """Make the student notebooks in notebooks/ from the course's texts and exercises, in every language."""
    from autograder.assignment.folders import release_folder
    from autograder.authoring import build as building
    from autograder.authoring import catalogues as translating

    root = taught_in(course)
    tell_problems(root)
    names = names or list(building.assignments(root))
    chosen = [full_name(one) for one in language] if language else list(LANGUAGES)
    foreign = [one for one in chosen if one != "en"]
    ours = root == library(root)  # only the library's own catalogues are brought up to date here
    for one in foreign if catalogues and ours else ():
        translating.update(root, one)
    for one in foreign if (catalogues or check) and ours else ():
        console.print(translating.table(one, states := translating.states(root, one)))
        if check and any(state.stale for state in states):
            raise AutograderError("run `course build --catalogues`, translate what is empty, and commit")
    if check:
        if stale := [path for one in chosen for path in building.stale(root, names, one)]:
            for path in stale:
                console.print(f"[red]stale:[/] {path.relative_to(root)}")
            raise AutograderError("run `course build` and commit what it writes")
        console.print(f"{len(names)} assignment(s) as their sources say, in {len(chosen)} language(s).")
        return
    for one in chosen:
        console.print(f"building notebooks: {LANGUAGES[one]}")
        building.build(root, names, root / (SOURCES if one == "en" else f"{SOURCES}-{one}"),
                       release_folder(root, one), language=one, announce=lambda name: console.print(f"  {name}"))


@app.command(epilog="Example: [bold]course book --serve[/], then open the address that it shows.")
def book(
    course: CourseFolder = Path("."),
    language: Annotated[str, typer.Option(help="Of the book: en or zh.")] = "en",
    to: Annotated[Path | None, typer.Option(help="Folder of the site; by default build/book, for other languages "
                                            "build/book-LANGUAGE.", file_okay=False)] = None,
    no_execute: Annotated[bool, typer.Option("--no-execute", help="Run no notebook; show the outputs of earlier "
                                             "runs.")] = False,
    show: Annotated[bool, typer.Option("--serve", help="Then show it to the browser on this machine.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to show it; 0 for any that is free.")] = 8000,
) -> None:
    """Build the book: a site that needs no server, from the same sources as the notebooks."""
    from autograder.book import build_book, serve

    root = taught_in(course)
    tell_problems(root)
    to = to or root / "build" / ("book" if language == "en" else f"book-{language}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def announce(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total)
            progress.update(tasks[name], completed=done)

        warnings = build_book(root, to, language=language, execute=() if no_execute else None, announce=announce)
    for warning in warnings:
        console.print(f"[yellow]{escape(one_line(warning))}[/]")
    console.print(f"wrote {to / 'index.html'}", soft_wrap=True)
    if show:
        with serve(to, port) as server:
            console.print(f"The book is at http://{server.server_name}:{server.server_port}/ until Ctrl+C.")
            server.serve_forever()


@app.command(epilog="Examples: [bold]course release 01-local-connectivity[/], "
                    "[bold]course release 01-local-connectivity --language zh[/]")
def release(
    assignment: Annotated[str, typer.Argument(help="The assignment's name.")],
    course: CourseFolder = Path("."),
    to: Annotated[Path, typer.Option(help="Where the zip for students goes.")] = Path("dist"),
    language: Language = "en",
    db_url: Database = None,
) -> None:
    """Enter an assignment into the gradebook and make what students get: notebook and packages, no solutions."""
    from autograder.authoring.release import release as make

    tell_problems(course.resolve())
    for path in make(course.resolve(), assignment, to.resolve(), full_name(language), db_url):
        console.print(f"wrote {path}")


@app.command(epilog="Examples: [bold]course grade 01-local-connectivity[/], "
                    "[bold]course grade 01-local-connectivity --student ada --force[/], "
                    "[bold]course grade 01-local-connectivity --dry-run[/], "
                    "[bold]course grade 01-local-connectivity --scheduler tcp://head:8786 "
                    "--db-url postgresql+psycopg://grader@head/course[/]")
def grade(
    assignment: Annotated[str, typer.Argument(help="The assignment's name.")],
    course: CourseFolder = Path("."),
    student: Annotated[list[str] | None, typer.Option(help="Only this student; may be repeated.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what is graded already.")] = False,
    lower: Annotated[bool, typer.Option("--lower", help="Enter marks also where they are lower than those that the "
                                        "same submission has; otherwise these stay and are named.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing: grade in a copy of the course, and show "
                                          "marks before and after.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on and grade what arrives, until Ctrl+C.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes on this machine; by default one for each "
                                                "processor.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler whose workers grade instead: "
                                                  "tcp://host:port. They need the course's folder under the same "
                                                  "path.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Submissions in one task of the cluster; 50 to 200 serve.")] = 100,
    db_url: Database = None,
    sandbox: Sandbox = None,
    trust_submissions: Trust = False,
) -> None:
    """Grade submissions in a sandbox and write feedback; run again after an interruption, it goes on.

    What changed since is graded again, and nothing else: another submission, a due date or an extension, penalties,
    limits, a corrected exercise. It says beforehand how many are concerned and why.
    """
    from autograder.classroom.course import Course
    from autograder.cohort import forgeable, trial, watching
    from autograder.cohort.batch import warm_up
    from autograder.cohort.pool import pool_for

    if trust_submissions:
        from autograder.classroom.plugins import TRUSTED_WARNING

        console.print(f"[bold white on red] WARNING [/] {TRUSTED_WARNING}")
    where = Course(course.resolve(), trust=trust_submissions, sandbox=sandbox, db_url=db_url)

    if names := forgeable(where, assignment):
        console.print(f"{len(names)} test cells of nbgrader's own kind run in the sandbox; whoever writes a notebook "
                      f"can forge their points: {escape(one_line(', '.join(names)))}", soft_wrap=True)

    def run(course: Course, students: list[str] | None) -> list[Report]:
        count = len(students or course.submitted(assignment))
        pool = pool_for(count, workers, scheduler, batch, lambda: warm_up(course, assignment)) if count else None
        return grade_with_progress(course, assignment, students, force=force, lower=lower, pool=pool)

    def arrived(students: list[str]) -> None:
        reports = [report for report in run(where, students) if report.status != "unchanged"]
        if reports:
            console.print(scores(reports), notes(reports), sep="\n")
        console.print(f"waiting for submissions in {where.root / where.directory.submitted_directory}; Ctrl+C ends it",
                      soft_wrap=True)

    if dry_run and (watch or scheduler):
        raise AutograderError("a dry run ends, and runs on this machine: leave out --watch and --scheduler")
    if dry_run:
        found = trial.changes(where, assignment, lambda copy: run(copy, student))
        console.print(changes(found), notes([change.report for change in found]), sep="\n")
        return
    if watch:
        watching.watch(where, assignment, arrived)
        return
    reports = run(where, student)
    console.print(scores(reports), notes(reports), sep="\n")
    if any(report.status == "failed" for report in reports):
        sys.exit(1)


@app.command(epilog="Examples: [bold]course update work[/], [bold]course update mine.ipynb --to 03-pooling.zip[/]")
def update(
    notebooks: Annotated[Path, typer.Argument(help="Your notebook, or a folder of them.")],
    to: Annotated[Path | None, typer.Option(help="The newer release: the zip, a folder or a notebook; by default what "
                                            "is installed here.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Bring your copies to a newer release: new cells in, answers and own cells kept; the old file stays beside it."""
    from autograder.lab import updating

    copies = updating.copies_in(notebooks)
    if not copies:
        raise AutograderError(f"there is no notebook in {notebooks}")
    with ExitStack() as stack:
        among = stack.enter_context(updating.released_in(to)) if to else None
        for path in copies:
            try:
                result = updating.update(path, among)
            except RehearsalError as error:
                if len(copies) == 1:
                    raise
                console.print(f"left alone: {escape(one_line(str(error)))}", soft_wrap=True)
                continue
            backup = None if dry_run else updating.write(result)
            what = (f"{result.added} new cells, {result.kept} answers and {result.own} cells of your own kept"
                    if result.changed else "as the release already")
            console.print(f"{path}: {what}" + (f"; as it was: {backup.name}" if backup else ""), soft_wrap=True)
            for conflict in result.conflicts if result.changed else ():
                console.print(f"  [yellow]look at[/] {escape(one_line(conflict))}", soft_wrap=True)


@app.command(epilog="Examples: [bold]course rehearse work/03-pooling/03-pooling.ipynb[/], "
                    "[bold]course rehearse mine.ipynb --course vision[/]")
def rehearse(
    notebook: Annotated[Path, typer.Argument(help="A notebook of the course with your answers, as it is saved.")],
    course: CourseFolder = Path("."),
    language: Language = "en",
) -> None:
    """Say what grading would give for a notebook, before it is handed in; nothing is entered anywhere."""
    from autograder.exercises.contents import teach
    from autograder.rehearsal import rehearsal
    from autograder.syllabus import Syllabus
    from cnncourse.language import use

    use(language)
    if (course / FILE).is_file():
        teach(Syllabus.read(course.resolve()))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("reading", total=None)
        report = rehearsal(notebook, lambda name, done, total: progress.update(
            task, description=name, completed=done, total=total))
    console.print(str(report), markup=False, highlight=False)


@app.command(epilog="Examples: [bold]course feedback 01-local-connectivity[/], "
                    "[bold]course feedback 01-local-connectivity --zip moodle[/]")
def feedback(
    assignment: Annotated[str, typer.Argument(help="The assignment's name.")],
    course: CourseFolder = Path("."),
    kind: Annotated[str | None, typer.Option("--zip", help="Also pack the pages, named so that a platform hands them "
                                             "out: moodle, canvas, or plain for a folder for each student.")] = None,
    to: Annotated[Path | None, typer.Option(help="The zip; by default feedback-ASSIGNMENT-KIND.zip in the course's "
                                            "folder.", dir_okay=False)] = None,
    db_url: Database = None,
) -> None:
    """Write the feedback pages again, after hand marking for instance, and pack them for Moodle or Canvas."""
    from autograder.classroom.course import Course
    from autograder.cohort import write_feedback
    from autograder.platforms import feedback as platform

    where = Course(course.resolve(), db_url=db_url)
    if kind is not None:
        platform.assert_known(kind)
    failed = 0
    written: list[str] = []
    for student, problem in write_feedback(where, assignment):
        if problem:
            failed += 1
            console.print(f"[red]{escape(one_line(student))}: {escape(one_line(problem))}[/]")
        else:
            written.append(student)
            page = where.feedback_folder(student, assignment)
            console.print(f"{escape(one_line(f'{student}: {page.relative_to(where.root)}'))}")
    if kind is not None:
        to = to.resolve() if to else where.root / f"feedback-{assignment}-{kind}.zip"
        packed = platform.pack(where, assignment, written, kind, to)
        if packed.without:
            console.print("[yellow]Not in the zip, because their numbers on the platform are not known: "
                          f"{escape(one_line(', '.join(packed.without)))}[/]")
        console.print(f"wrote {to}: pages of {len(packed.students)} students", soft_wrap=True)
    sys.exit(1 if failed else 0)


@app.command(epilog="Example: [bold]course pack gradescope 01-local-connectivity[/]")
def pack(
    platform: Annotated[str, typer.Argument(help="Where it is to be judged: gradescope.")],
    assignment: Annotated[str, typer.Argument(help="The assignment's name.")],
    course: CourseFolder = Path("."),
    to: Annotated[Path, typer.Option(help="Where the zip goes; it is the instructor's, not for students.")] =
        Path("dist"),
    visibility: Annotated[str, typer.Option(help="When students see what was found: visible (at once), after_due_date, "
                                            "after_published or hidden.")] = "visible",
) -> None:
    """Make the zip by which another platform judges an assignment with this course's notebook and secret."""
    from autograder.classroom.course import Course
    from autograder.platforms.gradescope.pack import pack as make

    if platform != "gradescope":
        raise AutograderError(f"there is nothing to pack for {platform!r}; there is: gradescope")
    tell_problems(course.resolve())
    with console.status("building the wheel"):
        made = make(Course(course.resolve()), assignment, to.resolve(), visibility)
    console.print(f"wrote {made}", soft_wrap=True)
    console.print("Upload it as the assignment's autograder; docs/gradescope.md says which settings it needs.")


@app.command(epilog="Example: [bold]course report 01-local-connectivity --picture class.png[/]")
def report(
    assignment: Annotated[str, typer.Argument(help="The assignment's name.")],
    course: CourseFolder = Path("."),
    to: Annotated[Path | None, typer.Option(help="Folder of the page and the CSV files; by default "
                                            "report/ASSIGNMENT in the course.", file_okay=False)] = None,
    picture: Annotated[Path | None, typer.Option(help="Also draw it into this file.")] = None,
    db_url: Database = None,
) -> None:
    """Write a page and CSV files on how a class did, and show its scores and misconceptions."""
    from autograder.classroom.course import Course
    from autograder.cohort import reports
    from autograder.report.write import write_report

    where = Course(course.resolve(), db_url=db_url)
    known = reports(where, assignment)
    console.print(scores(known), misconceptions(known), notes(known), sep="\n")
    for path in write_report(where, assignment, to.resolve() if to else None, known):
        console.print(f"wrote {path}", soft_wrap=True)
    if picture is not None:
        from autograder.report.figure import class_figure

        class_figure(assignment, known).savefig(picture)
        console.print(f"wrote {picture}")


@app.command(epilog="Example: [bold]course demo[/]; delete the folder demo/ to start over.")
def demo(
    folder: Annotated[Path, typer.Option(help="Where the course directory of the demo is made.")] = Path("demo"),
    sandbox: Sandbox = None,
) -> None:
    """Play a whole class: build, release, hand in (well, badly, hostile), grade, feedback, results."""
    from autograder.demo.play import run

    run(folder.resolve(), console, sandbox)


@app.command(epilog="Example: [bold]course doctor[/], once after the installation: it compiles what else would be "
                    "compiled while you wait.")
def doctor(course: CourseFolder = Path(".")) -> None:
    """Say what works on this machine and how to mend what does not; compile all kernels.

    In a course directory it also says whether others on this machine could read or change what is the course's.
    """
    from autograder.doctor import examine

    columns = (TextColumn("compiling"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("")
        findings = examine(lambda name, number, total: progress.update(
            task, description=name, completed=number, total=total), course)
    for finding in findings:
        mark = "[green]ok[/]  " if finding.fine else "[red]no[/]  "
        console.print(f"{mark}{escape(finding.subject)}: {escape(finding.text)}")
    sys.exit(0 if all(finding.fine for finding in findings) else 1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
             epilog="Example: [bold]course test -k geometry[/], quick or slow.")
def test(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="The slow tests too, and all examples.")] = False,
) -> None:
    """Run the quick tests, or those that further options to pytest choose; on all processors."""
    command = [sys.executable, "-m", "pytest", "--numprocesses", "auto", "--dist", "loadgroup",
               "--no-loadscope-reorder", *([] if everything else ["--quick"]), *context.args]
    # One process for each processor: threads of their own would only wait for each other.
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | os.environ
    sys.exit(subprocess.run(command, cwd=checkout(), env=environment, check=False).returncode)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
             epilog="Example: [bold]course bench judging[/]")
def bench(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Which benchmark; without one they are listed.")] = None,
) -> None:
    """Run a benchmark from bench/; further options go to it."""
    root = checkout()
    known = sorted(path.stem for path in (root / "bench").glob("*.py") if "__main__" in path.read_text("utf-8"))
    if name not in known:
        if name is not None:
            raise AutograderError(f"there is no benchmark {name!r}; there are: {', '.join(known)}")
        console.print("\n".join(known))
        return
    # Run here, so that paths among the options mean what they say; -P keeps a folder of the same name here out of it.
    paths = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    sys.exit(subprocess.run([sys.executable, "-P", "-m", f"bench.{name}", *context.args], check=False,
                            env={**os.environ, "PYTHONPATH": paths}).returncode)


@app.command(epilog="Examples: [bold]course new vision-2027[/], "
                    "[bold]course new vision-2027 --from 01-local-connectivity 03-pooling[/]")
def new(
    folder: Annotated[Path, typer.Argument(help="The course's folder; it is made.")],
    more: Annotated[list[str] | None, typer.Argument(help="Further assignments after --from.", metavar="[NAMES]...")
                    ] = None,
    based_on: Annotated[list[str] | None, typer.Option("--from", help="Assignments of the library to begin with; "
                                                       "several may follow.")] = None,
    title: Annotated[str, typer.Option(help="What the course is called.")] = "",
) -> None:
    """Begin a course of your own: a folder that says what is taught, with texts and exercises of yours."""
    from autograder.authoring.new import new_course

    if more and not based_on:
        raise AutograderError(f"a course has one folder; what is {more[0]!r}? Assignments follow after --from.")
    for path in new_course(folder.resolve(), [*(based_on or ()), *(more or ())], title):
        console.print(f"wrote {path}", soft_wrap=True)
    console.print(f"What it teaches stands in {folder / FILE}. Next: course build --course {folder}", soft_wrap=True)


@app.command(epilog="Example: [bold]course new-exercise transposed_conv2d --to 05-upwards[/]")
def new_exercise(
    name: Annotated[str, typer.Argument(help="Of the exercise, and of the function that students write.")],
    course: CourseFolder = Path("."),
    to: Annotated[str | None, typer.Option(help="The assignment that it is added to.")] = None,
    points: Annotated[float, typer.Option(min=0.25, help="What it is worth.")] = 2,
) -> None:
    """Write the start of an exercise: a statement, cases that matter, a mistake and hints, to be replaced by yours."""
    from autograder.authoring.new import new_exercise as begin
    from autograder.classroom.course import Course

    for path in begin(Course(course.resolve()), name, to, points):
        console.print(f"wrote {path}", soft_wrap=True)


def taught_in(course: Path) -> Path:
    """The folder with texts and notebooks: a course of its own, or the checkout.

    Raises
    ------
    AutograderError
        If it is neither.
    """
    return course.resolve() if (course / FILE).is_file() else checkout()


def tell_problems(root: Path) -> None:
    """Say which files of a course's own exercises cannot be used."""
    from autograder.exercises.contents import taught, teaching
    from autograder.syllabus import Syllabus

    with teaching(Syllabus.read(root) if (root / FILE).is_file() else None):
        for problem in taught().problems:
            console.print(f"[yellow]left out:[/] {escape(one_line(str(problem)))}", soft_wrap=True)


def checkout() -> Path:
    """The checkout of the course that this command was installed from.

    Raises
    ------
    AutograderError
        If it was installed from a wheel: there is nothing to build or test then.
    """
    root = Path(__file__).resolve().parent.parent
    if not (root / "solutions").is_dir():
        raise AutograderError("this command needs a course's folder or a checkout; here only packages are installed. A "
                              "folder of your own: course new FOLDER")
    return root


if __name__ == "__main__":
    main()
