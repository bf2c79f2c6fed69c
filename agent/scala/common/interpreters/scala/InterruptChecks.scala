package livius.agent

import java.util.{Collections, IdentityHashMap}

import scala.tools.asm.{ClassReader, ClassVisitor, ClassWriter, Label, MethodVisitor, Opcodes}
import scala.util.control.NonFatal

/** Puts `Interrupts.check()` into compiled user code: at the start of each method, and before each
  * jump backwards, which every loop has. A call without arguments and result leaves stack and
  * frames as they were.
  *
  * Since Java 20 nothing else stops `while (true) {}`. The bytecode library is the compiler's own,
  * so that it always knows the class files that this compiler writes.
  */
object InterruptChecks {

  /** The class with checks. If they cannot be inserted, the class as it was: it runs without them.
    */
  def insert(name: String, classFile: Array[Byte]): Array[Byte] =
    try {
      val reader = new ClassReader(classFile)
      val writer = new ClassWriter(reader, 0)
      reader.accept(new Checked(writer), 0)
      writer.toByteArray
    } catch {
      case NonFatal(error) =>
        Log.line(s"class $name gets no checks for a cancel: $error")
        classFile
    }

  private final class Checked(next: ClassVisitor) extends ClassVisitor(Opcodes.ASM7, next) {
    override def visitMethod(
        access: Int, name: String, descriptor: String, signature: String, exceptions: Array[String]): MethodVisitor = {
      val method = super.visitMethod(access, name, descriptor, signature, exceptions)
      new CheckedMethod(method, atEntry = !name.startsWith("<"))
    }
  }

  private final class CheckedMethod(next: MethodVisitor, atEntry: Boolean) extends MethodVisitor(Opcodes.ASM7, next) {
    private val passed = Collections.newSetFromMap(new IdentityHashMap[Label, java.lang.Boolean]())

    override def visitCode(): Unit = {
      super.visitCode()
      if (atEntry) check()
    }

    override def visitLabel(label: Label): Unit = {
      passed.add(label)
      super.visitLabel(label)
    }

    override def visitJumpInsn(opcode: Int, label: Label): Unit = {
      if (passed.contains(label)) check()
      super.visitJumpInsn(opcode, label)
    }

    private def check(): Unit =
      super.visitMethodInsn(Opcodes.INVOKESTATIC, "livius/agent/Interrupts", "check", "()V", false)
  }
}
