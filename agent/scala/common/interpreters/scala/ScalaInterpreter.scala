package livius.agent

import java.io.File
import java.net.{URL, URLClassLoader}
import java.util.concurrent.locks.ReentrantLock

import scala.tools.nsc.interpreter.livius.ScalaRepl
import scala.util.control.NonFatal

import org.apache.spark.sql.SparkSession

/** The kind `spark`: Scala code, compiled by the Scala compiler that this Spark ships. */
final class ScalaInterpreter(settings: Settings, session: () => SparkSession, classes: ReplClasses) extends Interpreter {

  import ScalaInterpreter._

  override val kind = "spark"

  private val stoppable = new StoppableThread
  private val lastValue = new LastValue
  // The compiler serves one thread at a time: a statement, or a completion when there is no
  // statement.
  private val compiler = new ReentrantLock
  @volatile private var repl: Option[Repl] = None
  // The session that the prelude has bound.
  private var bound: Option[SparkSession] = None
  private var compiledAgainst = Set.empty[File]

  override def alive: Boolean = repl.isDefined

  /** Waits for the SparkContext if Spark is still creating it; the compiler starts at the same
    * time.
    */
  override def start(): Unit = {
    val outer = classes.loader.getParent
    val made = new ScalaRepl(Repl.Setup(classPath(outer), classes.directory, outer, stoppable))
    classes.loader.statements = Some(made.loader)
    bind(made)
    repl = Some(made)
  }

  override def execute(statement: Int, code: String, live: LiveStreams): Result = {
    stoppable.begin()
    compiler.lock()
    try {
      val ready = repl.getOrElse(throw new InterpreterUnavailable("the Scala interpreter is closed"))
      takeAddedJars(ready)
      if (!bound.exists(_ eq session())) bind(ready)
      new ScalaStatement(ready, stoppable, settings, lastValue, live).run(code)
    } finally compiler.unlock()
  }

  override def rehearse(code: String): Unit = {
    stoppable.begin()
    compiler.lock()
    try for (ready <- repl) StandardOut.into(new Printout(settings.outputBytes, LiveStreams.none.out)) {
      ready.run(code, firstLine = 1, hidden = true) match {
        case Repl.Done(_, _) => ()
        case failed => throw new IllegalArgumentException(describe(failed))
      }
    } finally compiler.unlock()
  }

  override def interrupt(): Unit = stoppable.interrupt()

  override def kill(): Boolean = stoppable.stop()

  override def complete(code: String, cursor: Int): Seq[String] =
    if (!compiler.tryLock()) Nil
    else try repl.map(_.complete(code, cursor)).getOrElse(Nil) finally compiler.unlock()

  override def close(): Unit = {
    val closing = repl
    repl = None
    // A statement that still runs keeps its compiler: the driver ends anyway.
    if (compiler.tryLock()) try closing.foreach(_.close()) finally compiler.unlock()
  }

  /** Binds the names of the prelude: at the start, and when code has replaced the SparkContext. */
  private def bind(made: Repl): Unit = {
    Bindings.session = session
    made.run(Prelude, firstLine = 1, hidden = true) match {
      case Repl.Done(_, _) => bound = Some(session())
      case failed => throw new InterpreterUnavailable(s"the Scala interpreter does not start: ${describe(failed)}")
    }
  }

  private def takeAddedJars(compiler: Repl): Unit = {
    classes.jars.refresh()
    val added = classes.jars.files.filterNot(compiledAgainst)
    compiledAgainst ++= added
    for (jar <- added)
      // The compiler takes the path literally, without escapes.
      try compiler.addToClassPath(new URL("file", "", jar.getPath))
      catch { case NonFatal(error) => Log.line(s"code cannot be compiled against $jar: $error") }
  }

  // The class path of the JVM, and the jars that spark-submit gave to its own class loader.
  private def classPath(loader: ClassLoader): Seq[String] = {
    val jvm = System.getProperty("java.class.path").split(File.pathSeparator).toSeq
    val users = loaders(loader).collect { case urls: URLClassLoader => urls }.flatMap(_.getURLs)
    (jvm ++ users.filter(_.getProtocol == "file").map(url => new File(url.toURI).getPath)).distinct
  }

  private def loaders(from: ClassLoader): List[ClassLoader] =
    if (from == null) Nil else from :: loaders(from.getParent)

  private def describe(failed: Repl.Ran): String = failed match {
    case Repl.Rejected(problems) => problems.map(_.message).mkString("; ")
    case Repl.Threw(_, trace) => trace
    case Repl.Done(_, _) => ""
  }
}

object ScalaInterpreter {

  /** The names bound and imported for user code. One piece, because each piece costs a run of the
    * compiler.
    */
  private val Prelude =
    """@transient val spark = _root_.livius.agent.Bindings.session()
      |@transient val sc = spark.sparkContext
      |import org.apache.spark.SparkContext._
      |import spark.implicits._
      |import spark.sql
      |import org.apache.spark.sql.functions._
      |""".stripMargin
}

/** Holds the values that the interpreter's first lines bind. */
object Bindings {
  @volatile var session: () => SparkSession = () => throw new IllegalStateException("there is no session yet")
}
