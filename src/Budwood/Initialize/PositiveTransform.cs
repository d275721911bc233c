using Budwood.Numbers.Special;

namespace Budwood.Initialize;

/// <summary>How a positive number (a step, a decay) is stored as a free parameter.</summary>
public enum PositiveTransform
{
    Exp, Softplus, Relu, Sigmoid, None,
}

/// <summary>Stored parameters for positive numbers, and back.</summary>
public static class PositiveTransforms
{
    private const double Least = 1e-4;

    /// <summary>The stored parameter; all but exp first raise the number to 1e-4, as the public code does.</summary>
    public static double Store(this PositiveTransform transform, double value) => transform switch
    {
        PositiveTransform.Exp => Math.Log(value),
        PositiveTransform.Softplus => Math.Log(Elementary.ExpM1(Math.Max(value, Least))),
        PositiveTransform.Sigmoid => Math.Log(Math.Max(value, Least) / (1 - Math.Max(value, Least))),
        _ => Math.Max(value, Least),
    };

    /// <summary>The number that a stored parameter stands for; relu adds 1e-4, so that its round trip is not exact.</summary>
    public static double Read(this PositiveTransform transform, double stored) => transform switch
    {
        PositiveTransform.Exp => Math.Exp(stored),
        PositiveTransform.Softplus => Elementary.Softplus(stored),
        PositiveTransform.Relu => Math.Max(stored, 0) + Least,
        PositiveTransform.Sigmoid => 1 / (1 + Math.Exp(-stored)),
        _ => stored,
    };
}
