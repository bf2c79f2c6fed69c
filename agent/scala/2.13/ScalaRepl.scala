package scala.tools.nsc.interpreter.livius

import java.io.{OutputStream, PrintWriter}
import java.net.URL

import scala.reflect.internal.util.{AbstractFileClassLoader, CodeAction, Position}
import scala.tools.nsc.Settings
import scala.tools.nsc.interpreter.{IMain, Naming}
import scala.tools.nsc.interpreter.shell.ReplReporterImpl

import _root_.livius.agent.{Repl, ReplSettings, StoppableThread}

/** The interpreter of Scala 2.13. */
final class ScalaRepl private (setup: Repl.Setup, settings: Settings, protected val problems: Problems)
    extends IMain(settings, Some(setup.parent), settings, new ScalaRepl.SilentReporter(settings, problems)) with ReplParts {

  def this(setup: Repl.Setup) = this(setup, ReplSettings.of(setup), new Problems)

  protected def stoppable: StoppableThread = setup.stoppable

  initializeCompiler()

  protected def plainLoader: AbstractFileClassLoader = super.classLoader
  override def classLoader: AbstractFileClassLoader = checked

  override def run(code: String, firstLine: Int, hidden: Boolean): Repl.Ran = {
    problems.clear()
    // Positions count in the given text, so empty lines before it turn them into the user's lines.
    val padded = "\n" * (firstLine - 1) + code
    try if (hidden) reporter.withoutPrintingResults(compileAndRun(padded, hidden)) else compileAndRun(padded, hidden)
    finally reporter.reset()
  }

  private def compileAndRun(code: String, hidden: Boolean): Repl.Ran = requestFromLine(code, synthetic = hidden) match {
    case Right(request) if request.lineRep.compile(request.mkUnit) =>
      runCompiled(request, hidden)(identity)(echo(_, request.termNames.map(_.decoded), MaxEcho))
    case _ => Repl.Rejected(problems.taken)
  }

  protected def unmangled(text: String): String = Naming.unmangle(text)

  override def complete(code: String, cursor: Int): Seq[String] =
    presentationCompile(cursor, code).toOption.toSeq.flatMap { result =>
      try result.completionCandidates()._2.map(_.name).distinct finally result.cleanup()
    }

  override def addToClassPath(jar: URL): Unit = addUrlsToClassPath(jar)

  // The REPL's own limit.
  private def MaxEcho = 800
}

object ScalaRepl {

  /** Collects errors and prints nothing: the agent takes every message from its source. */
  private final class SilentReporter(settings: Settings, problems: Problems)
      extends ReplReporterImpl(settings, new PrintWriter(new OutputStream { def write(byte: Int): Unit = () })) {

    override def colorOk: Boolean = false

    override def doReport(position: Position, message: String, severity: Severity, actions: List[CodeAction]): Unit =
      if (severity.toString == "ERROR") problems.add(position, message)
  }
}
