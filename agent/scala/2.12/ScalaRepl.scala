package scala.tools.nsc.interpreter.livius

import java.io.{OutputStream, PrintWriter}
import java.net.URL

import scala.collection.mutable
import scala.reflect.internal.util.{AbstractFileClassLoader, Position}
import scala.tools.nsc.interpreter.{IMain, PresentationCompilerCompleter, ReplReporter}

import _root_.livius.agent.{Repl, ReplSettings, StoppableThread}

/** The interpreter of Scala 2.12. */
final class ScalaRepl(setup: Repl.Setup)
    extends IMain(ReplSettings.of(setup), ScalaRepl.nowhere) with ReplParts {

  // The base class makes its reporter in its constructor, before the fields of this class have
  // values.
  protected lazy val problems = new Problems
  protected def stoppable: StoppableThread = setup.stoppable

  // This version compiles a text with the user's text in the middle: the offset of the user's text
  // for each line.
  private val linesBefore = mutable.Map.empty[Int, Int]

  override lazy val reporter: ReplReporter = new ReplReporter(this) {
    override def display(position: Position, message: String, severity: Severity): Unit =
      if (severity.toString == "ERROR") problems.add(position, message)
    override def printMessage(message: String): Unit = ()
  }

  initializeSynchronous()

  protected def plainLoader: AbstractFileClassLoader = super.classLoader
  override def classLoader: AbstractFileClassLoader = checked
  override protected def parentClassLoader: ClassLoader = setup.parent

  override def run(code: String, firstLine: Int, hidden: Boolean): Repl.Ran = {
    problems.clear()
    val padded = "\n" * (firstLine - 1) + code
    try if (hidden) beQuietDuring(compileAndRun(padded, hidden)) else compileAndRun(padded, hidden)
    finally reporter.reset()
  }

  private def compileAndRun(code: String, hidden: Boolean): Repl.Ran = requestFromLine(code, synthetic = hidden) match {
    case Right(request) if request != null =>
      problems.linesBefore = place(request, code)
      reporter.reset()
      if (request.lineRep.compile(request.ObjectSourceCode(request.handlers)))
        runCompiled(request, hidden)(shifted)(echo(_, Nil, isettings.maxPrintString))
      else Repl.Rejected(problems.taken)
    case _ => Repl.Rejected(problems.taken)
  }

  private def place(request: Request, code: String): Int = {
    def lines(text: String): Int = text.count(_ == '\n')
    // Two for the package clause at the top.
    val before = 2 + lines(request.ObjectSourceCode.preamble) - lines(code)
    linesBefore(request.lineRep.lineId) = before
    before
  }

  private def shifted(frame: StackTraceElement): StackTraceElement =
    ReplParts.line(frame).flatMap(linesBefore.get).fold(frame) { before =>
      new StackTraceElement(frame.getClassName, frame.getMethodName, frame.getFileName, frame.getLineNumber - before)
    }

  protected def unmangled(text: String): String = naming.unmangle(text)

  override def complete(code: String, cursor: Int): Seq[String] =
    new PresentationCompilerCompleter(this).complete(code, cursor).candidates.filter(_.nonEmpty)

  override def addToClassPath(jar: URL): Unit = addUrlsToClassPath(jar)
}

object ScalaRepl {

  /** The agent takes every message from its source, so the interpreter itself prints nothing. */
  private def nowhere: PrintWriter = new PrintWriter(new OutputStream { def write(byte: Int): Unit = () })
}
