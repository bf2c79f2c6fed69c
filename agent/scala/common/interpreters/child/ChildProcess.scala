package livius.agent

import java.io.{File, IOException}
import java.nio.charset.StandardCharsets.UTF_8
import java.util.concurrent.TimeUnit

/** The operating system's process of an interpreter, with all that it started.
  *
  * The child makes itself the leader of a process group, and tells its id when it connects.
  */
final class ChildProcess(process: Process, onExit: () => Unit) {
  @volatile private var group: Option[Long] = None
  @volatile private var killed = false

  Threads.daemon("reaper") {
    process.waitFor()
    onExit()
  }

  def identify(pid: Long): Unit = group = Some(pid)

  def alive: Boolean = process.isAlive

  /** SIGINT to the interpreter alone, or also to all that it started, as a terminal does. */
  def interrupt(all: Boolean): Unit = group.foreach(pid => ChildProcess.signal("INT", if (all) s"-$pid" else pid.toString))

  /** Ends it because of a cancelled statement. */
  def cancel(): Unit = {
    killed = true
    kill()
  }

  /** SIGKILL to the whole group, also when its leader is dead already. Before the group is known:
    * to all below the process.
    */
  def kill(): Unit = {
    val below = if (group.isEmpty) ChildProcess.descendants(process) else Nil
    group.foreach(pid => ChildProcess.signal("KILL", s"-$pid"))
    process.destroyForcibly()
    below.foreach(pid => ChildProcess.signal("KILL", pid.toString))
  }

  def awaitExit(timeoutMs: Long): Boolean = process.waitFor(timeoutMs, TimeUnit.MILLISECONDS)

  /** Its end and the remedy, as a sentence without its full stop. */
  def ending: String =
    if (killed) "it was killed, as it did not stop when its statement was cancelled"
    else if (process.isAlive) "it no longer answers"
    else ChildProcess.ending(process.exitValue)
}

object ChildProcess {

  /** Starts a program and hands it one line on its standard input, where no other user of the
    * machine can read it.
    */
  def start(
      command: Seq[String], directory: File, environment: Environment, mergeErrors: Boolean, firstLine: String): Process = {
    val builder = new ProcessBuilder(command: _*).directory(directory).redirectErrorStream(mergeErrors)
    builder.environment.remove(LaunchDocument.Variable)
    environment.applyTo(builder.environment)
    val process = builder.start()
    try {
      process.getOutputStream.write((firstLine + "\n").getBytes(UTF_8))
      process.getOutputStream.close()
    } catch {
      case _: IOException => // it has ended already: its failure to connect reports that
    }
    process
  }

  /** The program's path from any folder: a relative path is relative to the driver's folder. */
  def program(name: String): String = if (name.contains(File.separator)) new File(name).getAbsolutePath else name

  /** The process's children and their children. None on Java 8, which cannot list them. */
  private def descendants(process: Process): List[Long] =
    try {
      val handle = Class.forName("java.lang.ProcessHandle")
      val found = handle.getMethod("descendants").invoke(classOf[Process].getMethod("toHandle").invoke(process))
      val pid = handle.getMethod("pid")
      Javas.list(found.asInstanceOf[java.util.stream.Stream[AnyRef]].iterator).map(pid.invoke(_).asInstanceOf[Long])
    } catch {
      case _: ReflectiveOperationException => Nil
    }

  /** Java 8 cannot send signals. Every shell has a built-in kill; the program of that name can be
    * missing.
    */
  private def signal(name: String, target: String): Unit = {
    val kill = new ProcessBuilder("sh", "-c", s"kill -s $name -- $target").redirectErrorStream(true).start()
    kill.getOutputStream.close()
    kill.getInputStream.close()
    kill.waitFor()
  }

  /** A shell's convention, which Java follows: 128 and the number of the signal. */
  private def ending(code: Int): String = code match {
    case 137 => "it was killed (signal 9). If nobody did that, it is the mark of a machine or container out of memory: " +
      "collect less data, or ask for more memory or memory overhead for the driver"
    case 139 => "it crashed (signal 11, a segmentation fault): most often a native library that does not fit this Python, R or system"
    case 134 => "it aborted itself (signal 6): most often a native library that found an error of its own"
    case 143 => "it was ended from outside (signal 15)"
    case signal if signal > 128 => s"it was ended by signal ${signal - 128}"
    case status => s"it left with exit code $status"
  }
}

/** Changes to the environment that a child inherits. */
final case class Environment(set: Map[String, String], default: Map[String, String], remove: Seq[String]) {

  def applyTo(environment: java.util.Map[String, String]): Unit = {
    remove.foreach(environment.remove(_))
    default.foreach { case (name, value) => environment.putIfAbsent(name, value) }
    set.foreach { case (name, value) => environment.put(name, value) }
  }
}
