package livius.agent

import java.io.{Closeable, File, IOException}
import java.nio.charset.StandardCharsets.UTF_8

import com.fasterxml.jackson.databind.node.ObjectNode
import org.apache.spark.sql.SparkSession

/** One Python process with all that it needs in this JVM. Made when the process is ready to run
  * statements. The process starts, and loads PySpark, while the SparkContext is being created.
  *
  * @param starting learns of the process while it is not ready yet
  */
final class PythonChild(
    kind: String, executable: String, session: () => SparkSession, settings: Settings, groups: JobGroups, starting: Child => Unit)
    extends Closeable {
  private val folder = new PrivateFolder("python")
  private val gateway = new SparkGateway(session, groups)
  private var lastRequest = 0

  val child: Child = orClosed(start())
  private val (statements, help, jobChannel) = orClosed(connect())

  /** The jobs that run at the same time as its statements. */
  val jobs = new ChildJobs(kind, child.process, jobChannel)

  def run(statement: Int, code: String, live: LiveStreams): Ran = child.run(statements, live) { marker =>
    bytes(Json.obj().put("run", statement).put("code", code).put("marker", marker))
  }

  /** Runs code that leaves nothing: a statement without a number. */
  def rehearse(code: String): Ran = child.run(statements, LiveStreams.none) { marker =>
    bytes(Json.obj().putNull("run").put("code", code).put("marker", marker))
  }

  /** Candidates to complete the text before the cursor. */
  def complete(before: String): Seq[String] = synchronized {
    lastRequest += 1
    help.send(bytes(Json.obj().put("request", lastRequest).put("complete", before)))
    // A late answer to an earlier request may arrive first.
    val answers = Iterator.continually(Json.mapper.readTree(help.receive(PythonChild.CompletionPatienceMs)))
    val answer = answers.find(_.path("request").asInt == lastRequest).get
    Javas.list(answer.path("candidates")).map(_.asText)
  }

  override def close(): Unit = {
    child.close()
    release()
  }

  private def start(): Child = {
    folder.extract("livius/python", PythonChild.Files)
    val command = Seq(ChildProcess.program(executable), folder.path.resolve("start.py").toString)
    try new Child(kind, command, new File("").getAbsoluteFile, environment, mergeErrors = false, settings.outputBytes, orders)
    catch {
      case failure: IOException => throw new InterpreterUnavailable(
        s"the Python executable '$executable' cannot be started: ${failure.getMessage}. ${PythonChild.Remedy}", failure)
    }
  }

  private def connect(): (ChildChannel, ChildChannel, ChildChannel) =
    try {
      starting(child)
      val statements = child.connect("run", PythonChild.StartPatienceMs)
      session() // the process waits for it as well
      val help = child.connect("help", PythonChild.StartPatienceMs)
      val jobs = child.connect("jobs", PythonChild.StartPatienceMs)
      statements.receive(PythonChild.StartPatienceMs) // it says that it is ready
      (statements, help, jobs)
    } catch {
      case failure: IOException => throw unavailable(failure)
    }

  private def unavailable(failure: IOException): InterpreterUnavailable = {
    val (ending, words) = child.failedStart()
    new InterpreterUnavailable(
      s"the Python executable '$executable' did not become an interpreter: $ending. ${PythonChild.Remedy}$words", failure)
  }

  private def orders(listener: ChildListener): String = Json.write(Json.obj()
    .put("port", listener.port)
    .put("secret", listener.secret)
    .put("gatewayPort", gateway.port)
    .put("gatewaySecret", gateway.secret)
    .put("maxRows", settings.sqlMaxRows)
    .put("outputBytes", settings.outputBytes)
    .put("jobFolder", folder.path.resolve("jobs").toString))

  private def environment: Environment = {
    val path = PySparkFiles.path(folder.path.resolve("path")) ++ sys.env.get("PYTHONPATH").filter(_.nonEmpty)
    Environment(
      set = Map(
        "PYTHONPATH" -> path.mkString(File.pathSeparator),
        "PYSPARK_PYTHON" -> executable, // PySpark has executors run the same
        "PYSPARK_PIN_THREAD" -> "true") ++ PySparkFiles.sparkHome.map("SPARK_HOME" -> _.getPath),
      default = Map("PYTHONHASHSEED" -> "0"), // as spark-submit does: executors must agree on the hashes of texts
      remove = Seq("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET", "PYTHONSTARTUP", "SPARK_REMOTE",
        "SPARK_CONNECT_MODE_ENABLED", "SPARK_LOCAL_REMOTE"))
  }

  private def bytes(frame: ObjectNode): Array[Byte] = Json.write(frame).getBytes(UTF_8)

  private def orClosed[A](step: => A): A = try step catch { case failure: Throwable => release(); throw failure }

  private def release(): Unit = {
    gateway.close()
    folder.close()
  }
}

object PythonChild {
  private val StartPatienceMs = 120000
  private val CompletionPatienceMs = 2000

  private val Remedy = "Check spark.pyspark.python of the session, or PYSPARK_PYTHON of the server: " +
    "it must name a Python that this Spark supports, on the driver and on all executors"

  private val Files = "start.py" +: Seq(
    "__init__", "channel", "completion", "errors", "forks", "frames", "hooks", "interrupts", "job_context", "jobs", "magics",
    "notices", "pickles", "plots", "runner", "shell", "source", "spark", "streams", "tables", "text", "threads", "values")
    .map(module => s"livius_shell/$module.py")
}
