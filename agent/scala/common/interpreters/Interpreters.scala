package livius.agent

import java.util.concurrent.{ConcurrentHashMap, CopyOnWriteArrayList}

import org.apache.spark.sql.SparkSession

/** The interpreters of this driver, each made when it is first needed. They share one SparkSession.
  *
  * @param session gives the SparkSession of the time, waiting for it while it is being created
  */
final class Interpreters(settings: Settings, session: () => SparkSession, replClasses: ReplClasses, groups: JobGroups) {

  private val starts = new ConcurrentHashMap[String, InterpreterStart]()
  private val pythonLibraries = new CopyOnWriteArrayList[String]()

  @volatile private var closed = false

  /** Tells whether the driver ends. */
  def isClosed: Boolean = closed

  /** The interpreter of that kind, started: for the first time, or again after a death. For any
    * thread.
    *
    * @param starting learns how to give up the start, before it is made
    */
  def ready(kind: String, starting: Starting => Unit = _ => ()): Interpreter = {
    val one = new Starting
    starting(one)
    ready(kind, one)
  }

  /** The interpreter of that kind, if it is alive. */
  def alive(kind: String): Option[Interpreter] = Option(starts.get(kind)).flatMap(_.alive)

  /** Those that are up, by kind. */
  def running: Seq[RunningInterpreter] = Javas.list(starts.values.iterator).flatMap(_.running).sortBy(_.kind)

  /** The Python that runs jobs, started: the interpreter of the session's kind. */
  def python(starting: Starting): PythonInterpreter = ready(pythonKind, starting) match {
    case python: PythonInterpreter => python
    case other => throw new InterpreterUnavailable(s"${other.kind} is no Python")
  }

  /** The Python that runs jobs, if it is alive. */
  def alivePython: Option[PythonInterpreter] = alive(pythonKind).collect { case python: PythonInterpreter => python }

  /** Makes a local file importable in Python: a module (`.py`) or an archive (`.zip`, `.egg`), in
    * the interpreters that run and in those that are started later. `SparkContext.addFile` has
    * given it to the executors, which import it from then on too. Throws an exception with Python's
    * words if it refuses.
    */
  def addPythonLibrary(path: String): Unit = {
    pythonLibraries.add(path)
    val refused = made.collect { case python: PythonInterpreter => python.addLibrary(path) }.flatten
    refused.headOption.foreach(words => throw new IllegalArgumentException(words))
  }

  def close(): Unit = {
    closed = true
    made.foreach { interpreter =>
      try interpreter.close()
      catch { case error: Throwable => Log.line(s"cannot close the ${interpreter.kind} interpreter", error) }
    }
  }

  private def ready(kind: String, starting: Starting): Interpreter =
    starts.computeIfAbsent(kind, _ => new InterpreterStart(() => create(kind), () => closed)).ready(starting)

  private def made: List[Interpreter] = Javas.list(starts.values.iterator).flatMap(_.interpreter)

  private def pythonKind: String = if (settings.kind == "pyspark3") settings.kind else "pyspark"

  // The Scala interpreter takes the session later: its compiler starts while the SparkContext does.
  private def create(kind: String): Interpreter = kind match {
    case "spark" => new ScalaInterpreter(settings, session, replClasses)
    case "sql" => new SqlInterpreter(session, settings)
    case "pyspark" => python(kind, settings.pythonExecutable)
    case "pyspark3" => python(kind, settings.python3Executable.getOrElse("python3"))
    case "sparkr" => new RInterpreter(session, settings, groups)
    case "shared" =>
      throw new InterpreterUnavailable("a statement of a 'shared' session must name its kind: spark, pyspark, sparkr or sql")
    case other =>
      throw new InterpreterUnavailable(s"there is no kind '$other': use spark, pyspark, sparkr or sql")
  }

  private def python(kind: String, executable: String): PythonInterpreter =
    new PythonInterpreter(kind, executable, session, settings, groups, () => Javas.list(pythonLibraries.iterator))
}
