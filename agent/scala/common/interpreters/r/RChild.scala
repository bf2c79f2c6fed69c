package livius.agent

import java.io.{ByteArrayOutputStream, Closeable, DataOutputStream, File, IOException}
import java.nio.ByteBuffer
import java.nio.charset.StandardCharsets.UTF_8
import java.util.concurrent.{CountDownLatch, TimeUnit}
import java.util.concurrent.locks.ReentrantLock

import org.apache.spark.SparkFiles
import org.apache.spark.sql.SparkSession

/** One R process with all that it needs in this JVM. Made when the process is ready to run
  * statements.
  *
  * @param starting learns of the process while it is not ready yet
  */
final class RChild(session: SparkSession, settings: Settings, starting: Child => Unit) extends Closeable {
  private val command = RChild.command(session, settings)
  private val folder = new PrivateFolder("r")
  private val backend = SparkRBackend.start(session)

  val child: Child = orClosed(start())
  private val statements = orClosed(connect())

  // R does one thing at a time: a statement, or a completion.
  private val turn = new ReentrantLock

  /** Runs a statement. If it must wait for a completion, it can be cancelled as if it ran already.
    */
  def run(group: JobGroup, code: String, live: LiveStreams): Ran =
    try child.run(statements, live) { marker =>
      turn.lock()
      RFields.encode(Seq("run", code, marker, group.name, group.description).map(_.getBytes(UTF_8)))
    } finally if (turn.isHeldByCurrentThread) turn.unlock()

  /** Candidates to complete the text before the cursor; none if R is busy. */
  def complete(before: String): Seq[String] =
    if (!turn.tryLock()) Nil
    else
      try interruptedLate {
        statements.send(RFields.encode(Seq("complete", before).map(_.getBytes(UTF_8))))
        RFields.decode(statements.receive()).map(new String(_, UTF_8))
      } finally turn.unlock()

  override def close(): Unit = {
    child.close()
    release()
  }

  /** Interrupts R if its answer takes too long. Still waits for the answer, because the next
    * request must not get it.
    */
  private def interruptedLate[A](answer: => A): A = {
    val answered = new CountDownLatch(1)
    val watch = Threads.daemon("r-completion") {
      if (!answered.await(RChild.CompletionPatienceMs, TimeUnit.MILLISECONDS)) child.process.interrupt(all = false)
    }
    try answer
    finally {
      answered.countDown()
      watch.join()
    }
  }

  private def start(): Child = {
    folder.extract("livius/r", RChild.Files)
    val options = Seq("--slave", "--no-save", "--no-restore", s"--file=${folder.path.resolve("start.R")}")
    val line = RChild.ownGroup ++ Seq(ChildProcess.program(command)) ++ options ++ Seq("--args", folder.path.toString)
    try new Child("sparkr", line, new File(SparkFiles.getRootDirectory()), RChild.environment, mergeErrors = true,
      settings.outputBytes, orders)
    catch {
      case failure: IOException => throw new InterpreterUnavailable(
        s"R, the program '$command', cannot be started: ${failure.getMessage}. ${RChild.Remedy}", failure)
    }
  }

  private def orders(listener: ChildListener): String = {
    val spark = backend.fold("- -")(server => s"${server.port} ${server.secret}")
    s"${listener.port} ${listener.secret} $spark"
  }

  private def connect(): ChildChannel =
    try {
      starting(child)
      val channel = child.connect("run", RChild.StartPatienceMs)
      RFields.decode(channel.receive(RChild.StartPatienceMs)).map(new String(_, UTF_8)).filter(_.nonEmpty)
        .foreach(missing => Log.line(s"sparkr: $missing"))
      channel
    } catch {
      case failure: IOException => throw unavailable(failure)
    }

  private def unavailable(failure: IOException): InterpreterUnavailable = {
    val (ending, words) = child.failedStart()
    new InterpreterUnavailable(s"R, the program '$command', did not become an interpreter: $ending. ${RChild.Remedy}$words", failure)
  }

  private def orClosed[A](step: => A): A = try step catch { case failure: Throwable => release(); throw failure }

  private def release(): Unit = {
    backend.foreach(_.close())
    folder.close()
  }
}

object RChild {
  private val StartPatienceMs = 120000
  private val CompletionPatienceMs = 1000

  private val Remedy = "Install R on the driver's machine, or name it with spark.r.shell.command or SPARKR_DRIVER_R"

  private val Files = Seq("start.R", "channel.R", "completion.R", "errors.R", "evaluate.R", "plots.R", "shell.R", "spark.R")

  private def command(session: SparkSession, settings: Settings): String =
    settings.rCommand
      .orElse(session.sparkContext.getConf.getOption("spark.r.shell.command"))
      .orElse(sys.env.get("SPARKR_DRIVER_R"))
      .filter(_.nonEmpty)
      .getOrElse("R")

  /** R cannot make itself the leader of a process group; a small Linux program can. */
  private def ownGroup: Seq[String] = {
    val folders = sys.env.getOrElse("PATH", "").split(File.pathSeparator)
    folders.map(new File(_, "setsid")).find(_.canExecute).map(_.getPath).toSeq
  }

  /** The package SparkR that YARN has unpacked in the container's folder, as one of R's libraries. */
  private def shippedPackage: Option[(String, String)] =
    Some(new File("sparkr").getAbsoluteFile).filter(new File(_, "SparkR").isDirectory).map { library =>
      "R_LIBS" -> (library.getPath +: sys.env.get("R_LIBS").filter(_.nonEmpty).toSeq).mkString(File.pathSeparator)
    }

  /** Text is UTF-8, whatever locale the driver was started with. */
  private def environment: Environment = {
    val locale = Seq("LC_ALL", "LC_CTYPE", "LANG").flatMap(sys.env.get(_)).find(_.nonEmpty).getOrElse("")
    val utf8 = locale.toLowerCase.replace("-", "").endsWith("utf8")
    Environment(
      set = PySparkFiles.sparkHome.map("SPARK_HOME" -> _.getPath).toMap ++ shippedPackage ++
        (if (utf8) Map.empty else Map("LC_ALL" -> "C.UTF-8")),
      default = Map("NO_COLOR" -> "1"),
      remove = Nil)
  }
}

/** The body of a frame to or from R, which has no JSON of its own: fields, each with four bytes of
  * length before it.
  */
private[agent] object RFields {

  def encode(fields: Seq[Array[Byte]]): Array[Byte] = {
    val body = new ByteArrayOutputStream
    val out = new DataOutputStream(body)
    fields.foreach { field =>
      out.writeInt(field.length)
      out.write(field)
    }
    body.toByteArray
  }

  def decode(body: Array[Byte]): List[Array[Byte]] = {
    val in = ByteBuffer.wrap(body)
    val fields = List.newBuilder[Array[Byte]]
    while (in.remaining >= 4) {
      val field = new Array[Byte](in.getInt())
      in.get(field)
      fields += field
    }
    fields.result()
  }
}
