package scala.tools.nsc.interpreter.livius

import scala.collection.mutable.ListBuffer
import scala.reflect.internal.util.{AbstractFileClassLoader, BatchSourceFile, Position}
import scala.tools.nsc.interpreter.IMain

import _root_.livius.agent.{InterruptChecks, Repl, StackTraces, StoppableThread}

/** The part of the interpreter that is the same for every version of the compiler.
  *
  * It lives in a package below the interpreter's own, where the two steps, compile and run, can be
  * called separately. The agent calls them itself, to get an exception as an object and not as part
  * of the printed text.
  */
trait ReplParts extends Repl with ReplEcho { interpreter: IMain =>

  protected def stoppable: StoppableThread
  protected def problems: Problems

  private lazy val checkedLoader = new CheckedClassLoader(plainLoader)

  protected def plainLoader: AbstractFileClassLoader

  protected def checked: AbstractFileClassLoader = checkedLoader

  override def loader: ClassLoader = checkedLoader

  override def read(code: String): Repl.Parsed = {
    problems.clear()
    var incomplete = false
    val pieces = global.currentRun.parsing.withIncompleteHandler((_, _) => incomplete = true)(topLevel(code))
    reporter.reset()
    if (incomplete) Repl.Incomplete
    else if (problems.nonEmpty) Repl.SyntaxErrors(problems.taken)
    else Repl.Complete(pieces)
  }

  // A parser reads its first token in its constructor.
  private def topLevel(code: String): Seq[Repl.Piece] = {
    val parser = new TopLevel(code)
    parser.parseStats()
    parser.pieces.toList
  }

  /** The compiler's parser, noting where each top-level statement begins and ends. The trees' own
    * positions leave out parentheses and annotations.
    */
  private final class TopLevel(code: String)
      extends global.syntaxAnalyzer.UnitParser(new global.CompilationUnit(new BatchSourceFile("<console>", code))) {
    import global._

    val pieces = new ListBuffer[Repl.Piece]
    private var depth = 0

    override def templateStat: PartialFunction[Int, List[Tree]] = {
      val one = super.templateStat
      new PartialFunction[Int, List[Tree]] {
        def isDefinedAt(token: Int): Boolean = one.isDefinedAt(token)
        def apply(token: Int): List[Tree] = noted(one(token))
      }
    }

    private def noted(statement: => List[Tree]): List[Tree] = {
      val from = in.offset
      depth += 1
      val trees = try statement finally depth -= 1
      if (depth == 0) pieces += Repl.Piece(from, in.lastOffset, sort(trees))
      trees
    }

    private def sort(trees: List[Tree]): Repl.Sort =
      if (trees.forall(_.isInstanceOf[Import])) Repl.Import
      else if (trees.forall(t => t.isInstanceOf[ImplDef] || t.isInstanceOf[DefDef] || t.isInstanceOf[TypeDef])) Repl.Definition
      else Repl.Execution
  }

  /** Runs compiled code through the code that starts it, and cuts the interpreter's own frames off
    * its exceptions.
    */
  protected def evaluate(start: => Any, frame: StackTraceElement => StackTraceElement): Either[Repl.Threw, String] =
    classLoader.asContext {
      try Right("" + stoppable.run(start))
      catch {
        case thrown: Throwable =>
          val error = ReplParts.cause(thrown)
          Left(Repl.Threw(error, unmangled(StackTraces.elided(error, isMachinery, f => frame(f).toString))))
      }
    }

  /** Takes the interpreter's wrapper names out of a text. */
  protected def unmangled(text: String): String

  private def isMachinery(frame: StackTraceElement): Boolean =
    (ReplParts.Line.findFirstIn(frame.getClassName).isDefined && ReplParts.Wrapper(frame.getMethodName)) ||
      frame.getClassName.startsWith(ReplParts.Own)

  /** An echo as the REPL shows it: not longer than its limit, and a newline at its end. */
  protected def echo(text: String, names: List[String], limit: Int): String = {
    val plain = names.foldLeft(unmangled(text).stripSuffix("\n"))(ReplParts.withoutKeyword)
    if (plain.isEmpty) ""
    else if (plain.length > limit) plain.take(limit - 3) + "...\n"
    else plain + "\n"
  }
}

object ReplParts {

  private val Line = """\$line(\d+)\.""".r
  private val Own = "scala.tools.nsc.interpreter.livius."
  private val Wrapper = Set("<init>", "<clinit>", "$print", "$print$lzycompute")

  /** The number of the interpreter's line that the frame's code came from. */
  def line(frame: StackTraceElement): Option[Int] = Line.findFirstMatchIn(frame.getClassName).map(_.group(1).toInt)

  /** The code's own exception, without those that reflection and class loading wrapped around it.
    */
  def cause(error: Throwable): Throwable = cause(error, depth = 0)

  // The user's code can make a circle of such exceptions.
  @annotation.tailrec
  private def cause(error: Throwable, depth: Int): Throwable = StackTraces.cause(error) match {
    case Some(inner) if isWrapper(error) && depth < MostWrappers => cause(inner, depth + 1)
    case _ => error
  }

  private def isWrapper(error: Throwable): Boolean = error match {
    case _: java.lang.reflect.InvocationTargetException | _: ExceptionInInitializerError => true
    case _ => error.getClass.getName.endsWith("$EvalException")
  }

  private val MostWrappers = 16

  /** `val x: Int = 1` of Scala 2.13 as `x: Int = 1`: clients know the echoes of 2.12. */
  private def withoutKeyword(echo: String, name: String): String =
    echo.replaceFirst("(?m)^(?:lazy )?va[lr] (?=" + java.util.regex.Pattern.quote(name) + ": )", "")
}

/** Loads the classes of user code with checks for a cancel inserted. Executors get the classes as
  * compiled.
  */
private final class CheckedClassLoader(plain: AbstractFileClassLoader)
    extends AbstractFileClassLoader(plain.root, plain.getParent) {

  override def classBytes(name: String): Array[Byte] = {
    val compiled = plain.classBytes(name)
    if (compiled.length == 0) compiled else InterruptChecks.insert(name, compiled)
  }
}

/** The compiler's errors since the last call. */
final class Problems {

  private val found = new ListBuffer[Repl.Problem]
  /** The number of generated lines before the user's first line. */
  var linesBefore = 0

  def add(position: Position, message: String): Unit = found +=
    (if (position == null || !position.isDefined) Repl.Problem(0, message, Nil)
     else Repl.Problem(math.max(0, position.line - linesBefore), message, source(position)))

  def clear(): Unit = {
    found.clear()
    linesBefore = 0
  }

  def nonEmpty: Boolean = found.nonEmpty

  def taken: List[Repl.Problem] = found.toList

  private def source(position: Position): Seq[String] = {
    val indent = "       "
    Seq(indent + position.lineContent.stripLineEnd, indent + position.lineCaret)
  }
}
