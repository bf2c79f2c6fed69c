package livius.agent

/** The context class loader of all threads of this driver. It finds the classes of Scala statements
  * as soon as there is an interpreter for them.
  *
  * Spark's own threads take the loader of the thread that creates the SparkContext, and they read
  * what tasks return, which may be of a class that the user defines only later.
  */
final class ReplClassLoader(parent: ClassLoader) extends ClassLoader(parent) {

  /** The interpreter's loader. Its parent is this loader's parent, never this loader: the two would
    * ask each other without end.
    */
  @volatile var statements: Option[ClassLoader] = None

  override protected def findClass(name: String): Class[_] = statements match {
    case Some(loader) if name.startsWith("$line") => loader.loadClass(name)
    case _ => throw new ClassNotFoundException(name)
  }
}
