package livius.agent

import java.io.File

/** What spark-submit runs: the agent of one driver. Its one argument is the launch file, or `env` for a driver on another
  * machine, which finds the launch document in its environment.
  */
object Main {

  def main(arguments: Array[String]): Unit = {
    // The REPL would colour its echoes when it believes to be on a terminal.
    System.setProperty("scala.color", "false")
    StandardOut.install()
    agent(arguments(0)).run()
  }

  private def agent(launch: String): Agent =
    if (launch == "env") {
      val document = LaunchDocument.inEnvironment().getOrElse(sys.error(s"${LaunchDocument.Variable} is not set"))
      // The worker made the working directory for this driver alone.
      new Agent(Settings.from(document), home = new File("").getAbsoluteFile)
    } else {
      val file = new File(launch).getAbsoluteFile
      new Agent(Settings.from(LaunchDocument.read(file)), home = file.getParentFile)
    }
}
