package livius.agent

import java.io.IOException
import java.nio.charset.StandardCharsets.UTF_8
import java.util.Base64
import java.util.concurrent.atomic.AtomicReference

import com.fasterxml.jackson.databind.JsonNode
import org.apache.spark.sql.SparkSession

/** R, in a process of its own that shares this JVM's Spark session through SparkR where that is
  * installed.
  */
final class RInterpreter(session: () => SparkSession, settings: Settings, groups: JobGroups) extends Interpreter {

  @volatile private var r: Option[RChild] = None
  @volatile private var starting: Option[Child] = None
  // How an earlier process ended, until a statement tells the user.
  private val loss = new AtomicReference(Option.empty[String])

  override def kind: String = "sparkr"

  override def alive: Boolean = r.exists(_.child.alive)

  override def start(): Unit = {
    r.foreach { dead =>
      Log.line(s"the $kind interpreter is started again: ${dead.child.process.ending}")
      dead.child.untoldEnding.foreach(ending => loss.set(Some(ending)))
    }
    close()
    try r = Some(new RChild(session(), settings, child => starting = Some(child)))
    finally starting = None
  }

  override def abortStart(): Unit = starting.foreach(_.abort())

  override def execute(statement: Int, code: String, live: LiveStreams): Result =
    loss.getAndSet(None).map(Child.diedBefore(kind, _)).getOrElse {
      r match {
        case Some(running) =>
          RDriver.share(session())
          val ran = running.run(groups.statement(statement), code, live)
          ran.reply.fold[Result](Child.died(kind, running.child.process.ending, ran.output))(RReply.result(_, ran.output))
        case None => Child.died(kind, "it was not started", "")
      }
    }

  override def rehearse(code: String): Unit = for (running <- r) {
    RDriver.share(session())
    running.run(Rehearsal.Group, code, LiveStreams.none).reply.map(RReply.result(_, "")) match {
      case Some(Result.Failed(ename, evalue, _)) => throw new IllegalArgumentException(s"$ename: $evalue")
      case _ => ()
    }
  }

  override def interrupt(): Unit = r.foreach(_.child.interrupt())

  override def kill(): Boolean = {
    r.foreach(_.child.kill())
    true
  }

  override def complete(code: String, cursor: Int): Seq[String] = r.filterNot(_.child.busy).fold(Seq.empty[String]) { idle =>
    val before = code.substring(0, math.max(0, math.min(cursor, code.length)))
    try idle.complete(before.takeRight(RInterpreter.LongestTyped)) catch { case _: IOException => Nil }
  }

  override def close(): Unit = {
    abortStart()
    r.foreach(_.close())
    r = None
  }
}

object RInterpreter {

  /** The length of the text before the cursor that R looks at. Only the names there matter. */
  private val LongestTyped = 2000
}

/** The R child's answers as results. */
private object RReply {
  private val Colours = "\u001b\\[[0-9;]*[A-Za-z]"

  def result(reply: Array[Byte], printed: String): Result = {
    val output = printed.replaceAll(Colours, "")
    RFields.decode(reply) match {
      case status :: image :: Nil if text(status) == "ok" => Result.Ok(data(output.stripPrefix("\n").stripSuffix("\n"), image))
      case _ :: ename :: evalue :: traceback =>
        Result.Failed(text(ename), text(evalue), CapturedStream.lines(output) ++ traceback.map(text))
      case _ => Result.Failed("Error", "R gave an answer that cannot be read", CapturedStream.lines(output))
    }
  }

  private def text(field: Array[Byte]): String = new String(field, UTF_8).replaceAll(Colours, "")

  private def data(output: String, image: Array[Byte]): Seq[(String, JsonNode)] = {
    val plot = if (image.isEmpty) Nil else List("image/png" -> Json.text(Base64.getEncoder.encodeToString(image)))
    if (plot.isEmpty || output.nonEmpty) ("text/plain" -> Json.text(output)) :: plot else plot
  }
}
