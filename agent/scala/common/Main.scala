package livius.agent

import java.io.File

/** The main class for spark-submit: the agent of one driver. Its one argument is the launch file, or
  * `env` for a driver on a worker of a standalone cluster, which reads the launch document from its
  * environment. In a container of YARN the launch file is in the working directory.
  */
object Main {

  def main(arguments: Array[String]): Unit = {
    // The REPL would colour its echoes if it believed that it ran on a terminal.
    System.setProperty("scala.color", "false")
    StandardOut.install()
    agent(arguments(0)).run()
  }

  private def agent(launch: String): Agent =
    if (launch == "env") {
      val document = LaunchDocument.inEnvironment().getOrElse(sys.error(s"${LaunchDocument.Variable} is not set"))
      // The worker made the working directory for this driver alone.
      new Agent(document, home = new File("").getAbsoluteFile)
    } else {
      val file = new File(launch).getAbsoluteFile
      new Agent(LaunchDocument.read(file), home = file.getParentFile)
    }
}
