package livius.agent

import java.io.File

/** What spark-submit runs: the agent of one driver. Its one argument is the launch file. */
object Main {

  def main(arguments: Array[String]): Unit = {
    // The REPL would colour its echoes when it believes to be on a terminal.
    System.setProperty("scala.color", "false")
    StandardOut.install()
    val launch = new File(arguments(0)).getAbsoluteFile
    new Agent(Settings.read(launch), home = launch.getParentFile).run()
  }
}
