package livius.agent

import java.util.concurrent.ConcurrentHashMap

import org.apache.spark.sql.SparkSession

/** The interpreters of this driver, each made when it is first needed. They share one SparkSession.
  *
  * @param session gives the SparkSession, waiting for it while it is being created
  */
final class Interpreters(settings: Settings, session: () => SparkSession, replClasses: ReplClasses) {

  private val made = new ConcurrentHashMap[String, Interpreter]()

  @volatile private var closed = false

  /** Whether the driver ends. */
  def isClosed: Boolean = closed

  /** The interpreter of that kind, started: for the first time, or again after a death. For the statement thread.
    *
    * @param starting learns of the interpreter before it is started
    */
  def ready(kind: String, starting: Interpreter => Unit = _ => ()): Interpreter = {
    val interpreter = Option(made.get(kind)).getOrElse(make(kind))
    starting(interpreter)
    if (!interpreter.alive) interpreter.start()
    interpreter
  }

  /** The interpreter of that kind if it is there and alive. */
  def alive(kind: String): Option[Interpreter] = Option(made.get(kind)).filter(_.alive)

  def close(): Unit = {
    closed = true
    made.values.forEach { interpreter =>
      try interpreter.close()
      catch { case error: Throwable => Log.line(s"cannot close the ${interpreter.kind} interpreter", error) }
    }
  }

  private def make(kind: String): Interpreter = {
    val interpreter = create(kind)
    made.put(kind, interpreter)
    interpreter
  }

  // The Scala interpreter takes the session later: its compiler starts while the SparkContext does.
  private def create(kind: String): Interpreter = kind match {
    case "spark" => new ScalaInterpreter(settings, session, replClasses)
    case "sql" => new SqlInterpreter(session(), settings)
    case "pyspark" => new PythonInterpreter(kind, settings.pythonExecutable, session(), settings)
    case "pyspark3" => new PythonInterpreter(kind, settings.python3Executable.getOrElse("python3"), session(), settings)
    case "sparkr" => new RInterpreter(session(), settings)
    case "shared" =>
      throw new InterpreterUnavailable("a statement of a 'shared' session must name its kind: spark, pyspark, sparkr or sql")
    case other =>
      throw new InterpreterUnavailable(s"there is no kind '$other': use spark, pyspark, sparkr or sql")
  }
}
