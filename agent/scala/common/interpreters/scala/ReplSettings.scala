package livius.agent

import java.io.File

import scala.tools.nsc.{Settings => CompilerSettings}

/** The compiler options of the Scala interpreter. */
object ReplSettings {

  /** Class based, so that closures can be sent to executors, which load the classes from the
    * directory.
    */
  def of(setup: Repl.Setup): CompilerSettings = {
    val made = new CompilerSettings(message => Log.line(s"Scala compiler: $message"))
    made.processArguments(List(
      "-Yrepl-class-based",
      "-Yrepl-outdir", setup.classes.getAbsolutePath,
      "-classpath", setup.classPath.mkString(File.pathSeparator)), processAll = true)
    made
  }
}
