// netstandard2.0 lacks the type that records and init properties compile against.
namespace System.Runtime.CompilerServices;

internal static class IsExternalInit;
